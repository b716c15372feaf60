// A field that searches the pages of the app. Nothing of the index is loaded before it has the focus.
import { useEffect, useId, useRef, useState } from "react";

export type SearchProps = {
  /** What stands over the field. */
  label?: string;
  /** What stands in the field while it is empty. */
  placeholder?: string;
  /** How many pages were found; {count} stands for the number. */
  found?: string;
  /** What is said where nothing was found. */
  none?: string;
  /** What is said where the index can't be loaded. */
  failed?: string;
};

type Part = { text: string; marked: boolean };
type Result = { url: string; title: string; parts: Part[] };
type Answer = { count: number; results: Result[] };
type Language = {
  wasm: string;
  meta: string;
  chunks: { [name: string]: string };
  packs: [string, string][];
};
type Pages = { [name: string]: { url: string; title: string; text: string } };
type Engine = {
  memory: { buffer: ArrayBuffer };
  malloc: (size: number) => number;
  free: (at: number, size: number) => void;
  call: (name: string, ...values: unknown[]) => [number, number] | number;
};

const SHOWN = 10;
const WORDS = 30;
const PAUSE_MS = 150;
// What Pagefind puts before the content of its files.
const SIGNATURE = 12;

export default function Search({ label, placeholder, found, none, failed }: SearchProps) {
  const id = useId();
  const index = useRef<Promise<Index> | null>(null);
  const asked = useRef(0);
  const [query, setQuery] = useState("");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [broken, setBroken] = useState(false);

  const load = () => {
    index.current ??= open();
    return index.current;
  };
  const warm = () => {
    load().catch(() => {
      index.current = null;
    });
  };
  useEffect(() => {
    const mine = ++asked.current;
    if (!query.trim()) {
      setAnswer(null);
      setBroken(false);
      return;
    }
    const timer = setTimeout(async () => {
      try {
        const next = await (await load()).search(query);
        if (mine === asked.current) {
          setAnswer(next);
          setBroken(false);
        }
      } catch {
        index.current = null;
        if (mine === asked.current) {
          setAnswer(null);
          setBroken(true);
        }
      }
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [query]);

  // The words that nobody gave are English, whatever the page's language is.
  const english = (given?: string) => (given ? undefined : "en");
  let status = "";
  let words = found;
  if (broken) {
    words = failed;
    status = failed || "Search is not available right now.";
  } else if (answer?.count) {
    const text = found || (answer.count === 1 ? "{count} page found" : "{count} pages found");
    status = text.replace("{count}", String(answer.count));
  } else if (answer) {
    words = none;
    status = none || "No page was found.";
  }
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
        onChange={(event) => setQuery(event.target.value)}
      />
      <p className="search-status" id={`${id}-status`} role="status" lang={english(words)}>
        {status}
      </p>
      {answer && answer.results.length > 0 && (
        <ol className="search-results">
          {answer.results.map((result) => (
            <li key={result.url}>
              <a href={result.url}>{result.title}</a>
              <p>
                {result.parts.map((part, at) =>
                  part.marked ? <mark key={at}>{part.text} </mark> : <span key={at}>{part.text} </span>,
                )}
              </p>
            </li>
          ))}
        </ol>
      )}
    </search>
  );
}

class Index {
  private loaded: { [address: string]: Promise<unknown> } = {};
  constructor(
    private engine: Engine,
    private pointer: number,
    private language: Language,
    private gone: string[],
    private locale: string,
  ) {}

  async search(query: string): Promise<Answer> {
    const given = query.toLocaleLowerCase(this.locale).replace(/[\p{P}\s]+/gu, " ").trim();
    const term = words(given, this.locale);
    const plain = term.normalize("NFD").replace(/\p{M}/gu, "");
    if (!plain || !this.language.meta) return { count: 0, results: [] };
    const chunks: string[] = JSON.parse(this.text("request_indexes", plain));
    for (const name of chunks.filter(Boolean)) await this.chunk(name);
    const told = JSON.parse(this.text("search", plain, term, "{}", "", false, false));
    const all: { p: string; l: { l: number }[] }[] = told.results;
    const shown: Result[] = [];
    let lost = 0;
    for (const each of all.slice(0, SHOWN + this.gone.length)) {
      if (shown.length === SHOWN) break;
      const page = await this.page(each.p);
      if (this.gone.includes(page.url)) lost += 1;
      else shown.push({ url: page.url, title: page.title, parts: excerpt(page.text, each.l) });
    }
    return { count: all.length - lost, results: shown };
  }

  private async chunk(name: string) {
    const address = this.language.chunks[name];
    this.loaded[name] ??= unpacked(address).then((bytes) => {
      this.pointer = number(this.engine.call("load_index_chunk", this.pointer, bytes));
    });
    await this.loaded[name];
  }

  private async page(name: string) {
    let address = "";
    for (const [first, pack] of this.language.packs) if (first <= name) address = pack;
    this.loaded[address] ??= get(address).then((answer) => answer.json());
    return ((await this.loaded[address]) as Pages)[name];
  }

  private text(name: string, ...values: unknown[]) {
    const [at, size] = this.engine.call(name, this.pointer, ...values) as [number, number];
    const text = new TextDecoder().decode(new Uint8Array(this.engine.memory.buffer, at, size));
    this.engine.free(at, size);
    return text;
  }
}

async function open(): Promise<Index> {
  const address = document.querySelector<HTMLMetaElement>('meta[name="rb-search"]')?.content;
  if (!address) throw new Error("this page names no index");
  const listing = await (await get(address, "no-cache")).json();
  const locale = document.documentElement.lang.toLowerCase();
  const { languages } = listing as { languages: { [name: string]: Language } };
  const name = [locale, locale.split("-")[0]].find((each) => languages[each]);
  const language = languages[name ?? Object.keys(languages)[0]];
  if (!language) return new Index(null as never, 0, { wasm: "", meta: "", chunks: {}, packs: [] }, [], "en");
  const [code, meta] = await Promise.all([
    get(language.wasm).then((answer) => answer.arrayBuffer()),
    unpacked(language.meta),
  ]);
  const engine = await start(code);
  const pointer = number(engine.call("init_pagefind", meta));
  return new Index(engine, pointer, language, listing.gone, name ?? "en");
}

// What Pagefind's program takes and gives: texts and bytes as an address and a size (wasm-bindgen).
async function start(code: ArrayBuffer): Promise<Engine> {
  // biome-ignore lint/suspicious/noExplicitAny: the program's exports have no types
  let exported: any;
  const imports = {
    "./pagefind_web_bg.js": {
      __wbindgen_init_externref_table: () => {
        const table = exported.__wbindgen_externrefs;
        const first = table.grow(4);
        table.set(0, undefined);
        for (const [at, value] of [undefined, null, true, false].entries()) table.set(first + at, value);
      },
    },
  };
  exported = (await WebAssembly.instantiate(code, imports)).instance.exports;
  exported.__wbindgen_start();
  const put = (value: string | Uint8Array) => {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    const at = exported.__wbindgen_malloc(bytes.length, 1) >>> 0;
    new Uint8Array(exported.memory.buffer).set(bytes, at);
    return [at, bytes.length];
  };
  return {
    memory: exported.memory,
    malloc: exported.__wbindgen_malloc,
    free: (at, size) => exported.__wbindgen_free(at, size, 1),
    call: (name, ...values) => {
      const flat = values.flatMap((value) =>
        typeof value === "string" || value instanceof Uint8Array ? put(value) : [value],
      );
      return exported[name](...flat);
    },
  };
}

function number(value: unknown) {
  return (value as number) >>> 0;
}

async function get(address: string, cache?: RequestCache) {
  const answer = await fetch(address, { cache });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer;
}

async function unpacked(address: string) {
  const packed = (await get(address)).body as ReadableStream<Uint8Array<ArrayBuffer>>;
  const body = packed.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(body).arrayBuffer()).slice(SIGNATURE);
}

// Some languages put no spaces between words; the index has the words apart.
function words(text: string, locale: string) {
  if (!/^(zh|ja|th)\b/.test(locale)) return text;
  const parts = new Intl.Segmenter(locale, { granularity: "word" }).segment(text);
  return Array.from(parts, (part) => part.segment.trim()).filter(Boolean).join(" ");
}

function excerpt(text: string, places: { l: number }[]): Part[] {
  const apart = text.includes("\u200B");
  const all = text.split(apart ? "\u200B" : /\s+/);
  const marked = new Set(places.map((place) => place.l));
  const start = Math.max(0, Math.min((places[0]?.l ?? 0) - 6, all.length - WORDS));
  return all
    .slice(start, start + WORDS)
    .map((word, at) => ({ text: word, marked: marked.has(start + at) }));
}
