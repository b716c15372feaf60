// Headers, files and forms' data as browsers have them, as far as they only compute (Fetch, File API,
// XMLHttpRequest). What streams, or reads an element, is not there.

import { NOW } from "./here.js";
import { global, readVarying } from "./host.js";
import { asInBrowsers } from "./web_events.js";

/** @param {string} what @returns {never} */
const notThere = (what) => {
  throw new Error(`${what} is not there while a page is prerendered`);
};

/**
 * Give a class what goes through its pairs, as Map has it.
 * @type {(Kind: any, pairsOf: (it: any) => [string, any][]) => void}
 */
const withPairs = (Kind, pairsOf) => {
  const methods = {
    entries() {
      return pairsOf(this).values();
    },
    keys() {
      return pairsOf(this)
        .map(([name]) => name)
        .values();
    },
    values() {
      return pairsOf(this)
        .map(([, value]) => value)
        .values();
    },
    /** @param {(value: any, name: string, it: any) => unknown} callback @param {any} [self] */
    forEach(callback, self) {
      for (const [name, value] of pairsOf(this)) callback.call(self, value, name, this);
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(Kind.prototype, name, { value, configurable: true, writable: true });
  }
  const { entries } = methods;
  Object.defineProperty(Kind.prototype, Symbol.iterator, { value: entries, configurable: true });
};

const webHeaders = () => {
  const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
  /** @type {(given: unknown) => string} */
  const nameOf = (given) => {
    const name = String(given);
    if (!NAME.test(name)) throw new TypeError(`"${name}" is no name of a header`);
    return name.toLowerCase();
  };
  /** @type {(given: unknown) => string} */
  const textOf = (given) => {
    const value = String(given).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
    if (/[\0\n\r]|[^\0-\xff]/.test(value)) throw new TypeError("this is no value of a header");
    return value;
  };
  class Headers {
    /** @type {Map<string, string[]>} */
    #all = new Map();
    /** @param {any} [init] */
    constructor(init) {
      if (init === undefined) return;
      if (Object(init) !== init) throw new TypeError("headers are an object, or pairs");
      const pairs = typeof init[Symbol.iterator] === "function" ? [...init] : Object.entries(init);
      for (const pair of pairs) {
        const [name, value, ...more] = pair;
        if (more.length > 0 || pair.length < 2) throw new TypeError("a header is a pair");
        this.append(name, value);
      }
    }
    /** @param {string} name @param {string} value */
    append(name, value) {
      const key = nameOf(name);
      this.#all.set(key, [...(this.#all.get(key) ?? []), textOf(value)]);
    }
    /** @param {string} name @param {string} value */
    set(name, value) {
      this.#all.set(nameOf(name), [textOf(value)]);
    }
    /** @param {string} name */
    get(name) {
      return this.#all.get(nameOf(name))?.join(", ") ?? null;
    }
    /** @param {string} name */
    has(name) {
      return this.#all.has(nameOf(name));
    }
    /** @param {string} name */
    delete(name) {
      this.#all.delete(nameOf(name));
    }
    getSetCookie() {
      return [...(this.#all.get("set-cookie") ?? [])];
    }
    /** @param {Headers} it @returns {[string, string][]} */
    static pairs(it) {
      return [...it.#all.keys()].sort().flatMap((name) => {
        const values = it.#all.get(name) ?? [];
        const said = name === "set-cookie" ? values : [values.join(", ")];
        return said.map((value) => /** @type {[string, string]} */ ([name, value]));
      });
    }
  }
  const { pairs } = Headers;
  Reflect.deleteProperty(Headers, "pairs");
  withPairs(Headers, pairs);
  return Headers;
};

const webFiles = () => {
  /** @type {(parts: Iterable<any>, endings: string) => Uint8Array<ArrayBuffer>} */
  const joined = (parts, endings) => {
    if (Object(parts) !== parts || typeof parts[Symbol.iterator] !== "function") {
      throw new TypeError("the parts of a Blob are a list");
    }
    const encoder = new global.TextEncoder();
    const bytes = [...parts].map((part) => {
      if (part instanceof Blob) return bytesOf(part);
      if (part instanceof ArrayBuffer) return new Uint8Array(part);
      if (ArrayBuffer.isView(part)) {
        return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      }
      const text = String(part);
      return encoder.encode(endings === "native" ? text.replace(/\r\n?/g, "\n") : text);
    });
    const all = new Uint8Array(bytes.reduce((size, each) => size + each.length, 0));
    let at = 0;
    for (const each of bytes) {
      all.set(each, at);
      at += each.length;
    }
    return all;
  };
  /** @type {(given: unknown) => string} */
  const typeOf = (given) => {
    const type = String(given ?? "");
    return /^[ -~]*$/.test(type) ? type.toLowerCase() : "";
  };
  class Blob {
    /** @type {Uint8Array<ArrayBuffer>} */
    #bytes;
    #type;
    /** @param {Iterable<any>} [parts] @param {any} [options] */
    constructor(parts, options) {
      this.#bytes = parts === undefined ? new Uint8Array() : joined(parts, options?.endings);
      this.#type = typeOf(options?.type);
    }
    /** @param {Blob} it */
    static bytes(it) {
      return it.#bytes;
    }
    get size() {
      return this.#bytes.length;
    }
    get type() {
      return this.#type;
    }
    /** @param {number} [start] @param {number} [end] @param {string} [type] */
    slice(start, end, type) {
      return new Blob([this.#bytes.slice(start, end)], { type });
    }
    async arrayBuffer() {
      return this.#bytes.slice().buffer;
    }
    async bytes() {
      return this.#bytes.slice();
    }
    async text() {
      return new global.TextDecoder().decode(this.#bytes);
    }
    stream() {
      return notThere("stream()");
    }
  }
  const bytesOf = Blob.bytes;
  Reflect.deleteProperty(Blob, "bytes");
  class File extends Blob {
    #name;
    #modified;
    /** @param {[parts?: Iterable<any>, name?: string, options?: any]} given */
    constructor(...given) {
      const [parts, name, options] = given;
      if (given.length < 2) throw new TypeError("a File needs its parts and a name");
      super(parts, options);
      this.#name = String(name);
      this.#modified = options?.lastModified ?? null;
    }
    get name() {
      return this.#name;
    }
    get lastModified() {
      if (this.#modified !== null) return Math.trunc(Number(this.#modified)) || 0;
      readVarying();
      return NOW;
    }
    get webkitRelativePath() {
      return "";
    }
  }
  return { Blob, File };
};

/** @param {any} Blob @param {any} File */
const webFormData = (Blob, File) => {
  /** @type {(value: any, name: unknown) => any} */
  const entryOf = (value, name) => {
    if (!(value instanceof Blob)) return String(value);
    if (value instanceof File && name === undefined) return value;
    const { type, lastModified } = value;
    return new File([value], name === undefined ? "blob" : String(name), { type, lastModified });
  };
  class FormData {
    /** @type {[string, any][]} */
    #all = [];
    /** @param {any} [form] */
    constructor(form) {
      if (form !== undefined) notThere("an element");
    }
    /** @param {string} name @param {any} value @param {string} [filename] */
    append(name, value, filename) {
      this.#all.push([String(name), entryOf(value, filename)]);
    }
    /** @param {string} name @param {any} value @param {string} [filename] */
    set(name, value, filename) {
      const key = String(name);
      const at = this.#all.findIndex(([each]) => each === key);
      const rest = this.#all.filter(([each], place) => each !== key || place === at);
      if (at === -1) rest.push([key, entryOf(value, filename)]);
      else rest[at] = [key, entryOf(value, filename)];
      this.#all = rest;
    }
    /** @param {string} name */
    get(name) {
      return this.#all.find(([each]) => each === String(name))?.[1] ?? null;
    }
    /** @param {string} name */
    getAll(name) {
      return this.#all.filter(([each]) => each === String(name)).map(([, value]) => value);
    }
    /** @param {string} name */
    has(name) {
      return this.#all.some(([each]) => each === String(name));
    }
    /** @param {string} name */
    delete(name) {
      this.#all = this.#all.filter(([each]) => each !== String(name));
    }
    /** @param {FormData} it */
    static pairs(it) {
      return it.#all;
    }
  }
  const { pairs } = FormData;
  Reflect.deleteProperty(FormData, "pairs");
  withPairs(FormData, pairs);
  return FormData;
};

/** The classes, each made once. */
export const webData = () => {
  const Headers = webHeaders();
  const { Blob, File } = webFiles();
  const FormData = webFormData(Blob, File);
  const made = { Headers, Blob, File, FormData };
  for (const Kind of Object.values(made)) asInBrowsers(Kind);
  return made;
};
