// What the isolate has before any component: React, and built-in functions as they were at first.

/** @typedef {(this: any, ...given: any[]) => any} AnyFunction */

/** @type {any} */
export const global = globalThis;

const { React, server, jsx, dom = {}, web = () => ({}) } = global.__rb;

export { dom, jsx, React, server, web };

export const { apply, construct, ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
export const { freeze, create, getPrototypeOf } = Object;
export const RealDate = Date;
export const realNow = Date.now;
export const { parse, stringify } = JSON;

/**
 * Define a property as built-in objects have them: writable, and not enumerated.
 * @type {(target: object, name: PropertyKey, value: unknown) => boolean}
 */
export const define = (target, name, value) =>
  defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });

/**
 * Give a function the name and length of the one that it replaces.
 * @type {<F extends AnyFunction>(original: Function, replacement: F) => F}
 */
export const standIn = (original, replacement) => {
  for (const name of ["name", "length"]) {
    const value = getOwnPropertyDescriptor(original, name);
    if (value) defineProperty(replacement, name, value);
  }
  return replacement;
};

/**
 * Replace a method, where there is one of this name.
 * @type {(target: any, name: PropertyKey, make: (original: AnyFunction) => AnyFunction) => void}
 */
export const wrapMethod = (target, name, make) => {
  const original = target[name];
  if (typeof original === "function") define(target, name, standIn(original, make(original)));
};

/** @type {Set<string>} */
const NO_TEXTS = new Set();
const NOTHING_DONE = {
  /** It has state, effects, refs or event handlers: the browser must hydrate it. */
  interactive: false,
  /** Rendering it in the browser gives something else: it is rendered there again. */
  rerender: false,
  /** The browser's object that it read last, such as "window". */
  browserName: "",
  /** Why it can't be rendered at once, "" where it can. */
  asyncReason: "",
  /** Texts that were set as HTML, each once. @type {Set<string>} */
  rawHtml: NO_TEXTS,
  /** How many packages are being loaded: they may read the clock meanwhile. */
  loading: 0,
};
/** What the block that is being rendered has done so far. */
export const block = { ...NOTHING_DONE };
export const resetBlock = () => Object.assign(block, NOTHING_DONE);

/** Note that the block has read something that differs in the browser. */
export const readVarying = () => {
  if (block.loading === 0) block.rerender = true;
};
