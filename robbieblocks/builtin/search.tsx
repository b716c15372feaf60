// A field that searches the pages of the app. Nothing of the index is loaded before it has the focus.
import { type Answer, type Index, openIndex } from "@robbieblocks/search-index";
import { useEffect, useId, useRef, useState } from "react";

export type SearchProps = {
  /** What stands over the field. */
  label?: string;
  /** What stands in the field while it is empty. */
  placeholder?: string;
  /** How many pages were found; {count} stands for the number. */
  found?: string;
  /** The same where it is one page; `found` without it. */
  one?: string;
  /** What is said where nothing was found. */
  none?: string;
  /** What is said where the index can't be loaded. */
  failed?: string;
  /** What stands on the button that shows more of the pages. */
  more?: string;
  /** What stands over the tags of the pages that were found; without it there is no choice. */
  tags?: string;
  /** What stands for all tags. */
  all?: string;
};

const SHOWN = 10;
const PAUSE_MS = 150;

export default function Search(props: SearchProps) {
  const { label, placeholder, found, one, none, failed, more, tags, all } = props;
  const id = useId();
  const index = useRef<Promise<Index> | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const asked = useRef(0);
  // Of the results that a visitor asked for, the first gets the focus: the button may be gone.
  const focused = useRef(0);
  const [query, setQuery] = useState("");
  const [limit, setLimit] = useState(SHOWN);
  const [tag, setTag] = useState("");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [broken, setBroken] = useState(false);

  const load = () => {
    index.current ??= openIndex();
    return index.current;
  };
  const warm = () => {
    load().catch(() => {
      index.current = null;
    });
  };
  const search = async () => {
    const wanted = tags ? tag : undefined;
    try {
      return await (await load()).search(query, limit, wanted);
    } catch {
      // An index that was loaded long ago may have been replaced, and its parts be gone.
      index.current = null;
      return await (await load()).search(query, limit, wanted);
    }
  };
  useEffect(() => {
    const mine = ++asked.current;
    if (!query.trim()) {
      setAnswer(null);
      setBroken(false);
      return;
    }
    const pause = limit > SHOWN || tag ? 0 : PAUSE_MS;
    const timer = setTimeout(async () => {
      let next: Answer | null = null;
      try {
        next = await search();
      } catch {
        index.current = null;
      }
      if (mine === asked.current) {
        setAnswer(next);
        setBroken(!next);
      }
    }, pause);
    return () => clearTimeout(timer);
  }, [query, limit, tag]);
  useEffect(() => {
    if (!focused.current) return;
    list.current?.children[focused.current]?.querySelector("a")?.focus();
    focused.current = 0;
  }, [answer]);

  // The words that nobody gave are English, whatever the page's language is.
  const english = (given?: string) => (given ? undefined : "en");
  let status = "";
  let words = (answer?.count === 1 && one) || found;
  if (broken) {
    words = failed;
    status = failed || "Search is not available right now.";
  } else if (answer?.count) {
    const text = words || (answer.count === 1 ? "{count} page found" : "{count} pages found");
    status = text.replace("{count}", String(answer.count));
  } else if (answer) {
    words = none;
    status = none || "No page was found.";
  }
  // One tag alone is no choice; what was chosen can always be left.
  const choices = tags && answer?.tags && (answer.tags.length > 1 || tag) ? ["", ...answer.tags] : [];
  return (
    <search className="search" data-pagefind-ignore="">
      <label htmlFor={id} lang={english(label)}>
        {label || "Search"}
      </label>
      <input
        id={id}
        type="search"
        autoComplete="off"
        spellCheck={false}
        placeholder={placeholder}
        value={query}
        aria-describedby={`${id}-status`}
        onFocus={warm}
        onChange={(event) => {
          setQuery(event.target.value);
          setLimit(SHOWN);
          setTag("");
        }}
      />
      {choices.length > 0 && (
        <fieldset className="search-tags">
          <legend>{tags}</legend>
          {choices.map((each) => (
            <label key={each} lang={each ? undefined : english(all)}>
              <input
                type="radio"
                name={`${id}-tag`}
                checked={each === tag}
                onChange={() => {
                  setTag(each);
                  setLimit(SHOWN);
                }}
              />
              {each || all || "All"}
            </label>
          ))}
        </fieldset>
      )}
      <p className="search-status" id={`${id}-status`} role="status" lang={english(words)}>
        {status}
      </p>
      {answer && answer.results.length > 0 && (
        <ol className="search-results" ref={list}>
          {answer.results.map((result) => (
            <li key={result.url}>
              <a href={result.url}>{result.title}</a>
              <p>
                {result.parts.map((part, at) =>
                  part.marked ? <mark key={at}>{part.text}</mark> : <span key={at}>{part.text}</span>,
                )}
              </p>
            </li>
          ))}
        </ol>
      )}
      {answer && answer.count > answer.results.length && (
        <button
          type="button"
          lang={english(more)}
          onClick={() => {
            focused.current = answer.results.length;
            setLimit(limit + SHOWN);
          }}
        >
          {more || "More results"}
        </button>
      )}
    </search>
  );
}
