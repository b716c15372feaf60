import { useId, useRef, useState } from "react";
import type { KeyboardEvent } from "react";

interface Snippet {
  name: string;
  about: string;
  code: string;
}

export default function CodeShelf({ title, snippets }: { title: string; snippets: Snippet[] }) {
  const [at, setAt] = useState(0);
  const [copied, setCopied] = useState("");
  const tabs = useRef<(HTMLButtonElement | null)[]>([]);
  const id = useId();
  const open = snippets[at];

  const go = (index: number) => {
    const next = (index + snippets.length) % snippets.length;
    setAt(next);
    setCopied("");
    tabs.current[next]?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(open.code);
      setCopied("Copied. Use it kindly.");
    } catch {
      setCopied("The browser kept its clipboard to itself. Select and copy by hand.");
    }
  };

  return (
    <section className="shelf" aria-labelledby={`${id}-title`} data-span="wide">
      <h2 id={`${id}-title`}>{title}</h2>
      <div className="shelf-tabs" role="tablist" aria-labelledby={`${id}-title`} onKeyDown={onKeyDown}>
        {snippets.map((snippet, index) => (
          <button
            key={snippet.name}
            ref={(element) => {
              tabs.current[index] = element;
            }}
            type="button"
            role="tab"
            id={`${id}-tab-${index}`}
            aria-selected={index === at}
            aria-controls={`${id}-panel`}
            tabIndex={index === at ? 0 : -1}
            onClick={() => go(index)}
          >
            {snippet.name}
          </button>
        ))}
      </div>
      <div className="shelf-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-tab-${at}`}>
        <p>{open.about}</p>
        <pre tabIndex={0} role="region" aria-label={`Code: ${open.name}`}>
          <code>
            {open.code.split("\n").map((line, index) => (
              <span key={index} className="shelf-line">{`${line}\n`}</span>
            ))}
          </code>
        </pre>
      </div>
      <p className="shelf-foot">
        <button type="button" onClick={copy}>
          Copy
        </button>
        <span role="status">{copied}</span>
      </p>
    </section>
  );
}
