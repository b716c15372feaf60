// Which global names components find: those of the language, and a few that browsers have, without
// effect. Everything else is removed.

import { BROWSER_NAMES } from "./browser_names.js";
import { freezeAll, makeShadowable } from "./frozen.js";
import {
  block,
  create,
  define,
  defineProperty,
  getPrototypeOf,
  global,
  ownKeys,
  readVarying,
  web,
} from "./host.js";
import { webData } from "./web_data.js";
import { webEvents } from "./web_events.js";
import { webShapes } from "./web_shapes.js";
import { webSignals } from "./web_signals.js";

const KEPT = new Set(
  (
    "Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean " +
    "String Symbol Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError " +
    "SyntaxError TypeError URIError SuppressedError globalThis JSON Math Intl ArrayBuffer " +
    "DataView Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float16Array " +
    "Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array Map BigInt Set " +
    "Iterator WeakMap WeakSet Proxy Reflect decodeURI decodeURIComponent encodeURI " +
    "encodeURIComponent escape unescape eval isFinite isNaN performance crypto"
  ).split(" "),
);
for (const name of ownKeys(global)) {
  if ((typeof name === "string" && KEPT.has(name)) || Reflect.deleteProperty(global, name))
    continue;
  global[name] = undefined; // mini-racer declares its timers with var, so they can't be deleted
}

// Components must not see when garbage is collected: references stay, nothing is finalised.
define(
  global,
  "WeakRef",
  // biome-ignore lint/suspicious/noShadowRestrictedNames: components see this name
  class WeakRef {
    #target;
    /** @param {unknown} target */
    constructor(target) {
      this.#target = target;
    }
    deref() {
      return this.#target;
    }
  },
);
define(
  global,
  "FinalizationRegistry",
  // biome-ignore lint/suspicious/noShadowRestrictedNames: components see this name
  class FinalizationRegistry {
    register() {}
    unregister() {
      return false;
    }
  },
);
define(global, "queueMicrotask", (/** @type {() => void} */ task) => {
  Promise.resolve().then(task);
});

/** @returns {Record<string, any>} */
const fromWeb = () => {
  /** @type {any} */
  const found = web();
  for (const name of ["createObjectURL", "revokeObjectURL"]) {
    define(found.URL, name, () => {
      throw new Error(`URL.${name} is not there while a page is prerendered`);
    });
  }
  return found;
};
/** @returns {Record<string, any>} */
const events = () => {
  const found = webEvents();
  // Subclasses put their own in the place of these.
  makeShadowable(found.EventTarget.prototype, ownKeys(found.EventTarget.prototype));
  return { ...found, ...webSignals(found.Event, found.EventTarget) };
};

// What browsers have that only computes, in groups. A group is made when a block asks for one of it
// first: most never do.
/** @type {[names: string, make: () => Record<string, any>][]} */
const COMPUTING = [
  ["URL URLSearchParams structuredClone atob btoa TextEncoder TextDecoder DOMException", fromWeb],
  ["Event CustomEvent EventTarget AbortController AbortSignal", events],
  ["Headers Blob File FormData", webData],
  ["CSS DOMPoint DOMPointReadOnly DOMRect DOMRectReadOnly", webShapes],
];
for (const [names, make] of COMPUTING) {
  /** @type {Record<string, unknown> | null} */
  let made = null;
  const group = () => {
    made = {}; // the packages look whether there is one
    block.loading += 1; // and they may draw a random number, which decides nothing
    try {
      const found = make();
      freezeAll(Object.values(found));
      made = found;
      return found;
    } catch (error) {
      made = null;
      throw error;
    } finally {
      block.loading -= 1;
    }
  };
  for (const name of names.split(" ")) {
    defineProperty(global, name, {
      get: () => (made ?? group())[name],
      enumerable: false,
      configurable: false,
    });
  }
}

// These properties of RegExp would carry text from one block to the next.
const LAST_MATCH =
  "input $_ lastMatch $& lastParen $+ leftContext $` rightContext $' $1 $2 $3 $4 $5 $6 $7 $8 $9";
for (const name of LAST_MATCH.split(" ")) Reflect.deleteProperty(RegExp, name);

const CONSOLE =
  "log info debug warn error trace dir table group groupCollapsed groupEnd time timeEnd timeLog " +
  "count countReset assert clear dirxml timeStamp profile profileEnd";
define(global, "console", Object.fromEntries(CONSOLE.split(" ").map((name) => [name, () => {}])));

// `typeof window` asks "is this a browser?". The answer differs there, so the block is rendered
// there again.
const BROWSER_OBJECTS =
  "window document navigator location localStorage sessionStorage matchMedia screen history " +
  "innerWidth innerHeight devicePixelRatio scrollX scrollY visualViewport getComputedStyle alert " +
  "confirm prompt Notification speechSynthesis indexedDB caches customElements Temporal " +
  "requestIdleCallback IntersectionObserver ResizeObserver MutationObserver DOMParser FileReader " +
  "XMLHttpRequest WebSocket BroadcastChannel Worker Image Audio self addEventListener " +
  "removeEventListener";
for (const name of BROWSER_OBJECTS.split(" ")) {
  defineProperty(global, name, {
    get() {
      if (block.loading === 0) block.browserName = name;
      readVarying();
      return undefined;
    },
    enumerable: false,
    configurable: false,
  });
}

// These exist, so that code may ask for them, and throw when they are called. Without a function to
// call they do nothing in a browser either.
for (const name of ["setTimeout", "setInterval", "requestAnimationFrame", "fetch"]) {
  global[name] = (/** @type {unknown} */ task) => {
    if (task === undefined && name !== "fetch") return 0;
    throw new Error(`${name} is not there while a page is prerendered`);
  };
}
const ENDING = "clearTimeout clearInterval cancelAnimationFrame cancelIdleCallback";
for (const name of ENDING.split(" ")) global[name] = () => {};

// Whoever asks for any other name of a browser's gets another answer there. The object below the global
// one is asked for each name that is not there; of a name in small letters it may be a misspelt one.
/** @type {Set<string> | null} */
let browserNames = null;
/** @param {PropertyKey} name */
const noteAbsent = (name) => {
  browserNames ??= new Set(BROWSER_NAMES.split(/\s+/));
  if (typeof name !== "string" || !browserNames.has(name)) return;
  if (block.loading === 0 && /[A-Z]/.test(name)) block.browserName = name;
  readVarying();
};
const { has, get, set, setPrototypeOf } = Reflect;
const below = new Proxy(create(getPrototypeOf(global)), {
  has(target, name) {
    if (has(target, name)) return true;
    noteAbsent(name);
    return false;
  },
  get(target, name, receiver) {
    if (!has(target, name)) noteAbsent(name);
    return get(target, name, receiver);
  },
  set(target, name, value, receiver) {
    // V8 comes here with a name that nobody declared, too.
    if (receiver === global) throw new ReferenceError(`${String(name)} is not defined`);
    return set(target, name, value, receiver);
  },
});
setPrototypeOf(global, below);
