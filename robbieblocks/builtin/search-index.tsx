// Reads the index of the app's pages. It is the package's own at all times: pages that import it may start Pagefind's program.

export type Part = { text: string; marked: boolean };
export type Result = { url: string; title: string; parts: Part[] };
/** `tags` are those of the pages that have the words, sorted, where they were asked for. */
export type Answer = { count: number; results: Result[]; tags?: string[] };
type Language = {
  wasm: string;
  meta: string;
  chunks: { [name: string]: string };
  packs: [string, string][];
  filters?: { [name: string]: string };
};
type Pages = { [name: string]: { url: string; title: string; text: string } };
type Engine = {
  memory: { buffer: ArrayBuffer };
  malloc: (size: number) => number;
  free: (at: number, size: number) => void;
  call: (name: string, ...values: unknown[]) => [number, number] | number;
};

const WORDS = 30;
// What Pagefind puts before the content of its files.
const SIGNATURE = 12;

export class Index {
  private loaded: { [address: string]: Promise<unknown> } = {};
  constructor(
    private engine: Engine,
    private pointer: number,
    private language: Language,
    private gone: string[],
    private locale: string,
  ) {}

  /** The first `limit` pages that have the words, and how many there are in all.
   *
   * With a `tag` the pages that have it, and the tags of all pages that have the words; with "" as
   * `tag` all pages. */
  async search(query: string, limit: number, tag?: string): Promise<Answer> {
    const given = query.toLocaleLowerCase(this.locale).replace(/[\p{P}\s<>$^`|~]+/gu, " ").trim();
    const term = words(given, this.locale);
    const plain = term.normalize("NFD").replace(/\p{M}/gu, "");
    if (!plain || !this.language.meta) return { count: 0, results: [] };
    const chunks: string[] = JSON.parse(this.text("request_indexes", plain));
    for (const name of chunks.filter(Boolean)) await this.chunk("load_index_chunk", this.language.chunks[name]);
    const filters = tag === undefined ? {} : (this.language.filters ?? {});
    for (const address of Object.values(filters)) await this.chunk("load_filter_chunk", address);
    const chosen = tag ? JSON.stringify({ tag: [encodeURIComponent(tag)] }) : "{}";
    const told = JSON.parse(this.text("search", plain, term, chosen, "", false, false));
    const all: { p: string; l: { l: number }[] }[] = told.results;
    const shown: Result[] = [];
    let lost = 0;
    for (const each of all.slice(0, limit + this.gone.length)) {
      if (shown.length === limit) break;
      const page = await this.page(each.p);
      if (this.gone.includes(page.url)) lost += 1;
      else shown.push({ url: page.url, title: page.title, parts: excerpt(page.text, each.l) });
    }
    const answer = { count: all.length - lost, results: shown };
    if (tag === undefined) return answer;
    const counts: [string, number][] = Object.entries(told.total_counts.tag ?? {});
    const tags = counts.filter(([, count]) => count).map(([name]) => decodeURIComponent(name));
    return { ...answer, tags: tags.sort((one, other) => one.localeCompare(other, this.locale)) };
  }

  private async chunk(load: string, address: string) {
    this.loaded[address] ??= unpacked(address).then((bytes) => {
      this.pointer = number(this.engine.call(load, this.pointer, bytes));
    });
    await this.loaded[address];
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

/** The index for the page's language. Throws where it is not there, or not whole. */
export async function openIndex(): Promise<Index> {
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
    .map((word, at) => ({ text: apart ? word : `${word} `, marked: marked.has(start + at) }));
}
