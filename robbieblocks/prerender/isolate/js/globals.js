// Which global names components find: those of the language, and a few that browsers have, without
// effect. Everything else is removed.

import { freezeAll } from "./frozen.js";
import { block, define, defineProperty, global, ownKeys, readVarying, web } from "./host.js";

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

// What browsers have that only computes. It is made when a block asks for it first: most never do.
const COMPUTING =
  "URL URLSearchParams structuredClone atob btoa TextEncoder TextDecoder DOMException";
/** @type {Record<string, unknown> | null} */
let computing = null;
/** @returns {Record<string, unknown>} */
const made = () => {
  computing = {}; // the packages look whether there is one
  block.loading += 1; // and they may draw a random number, which decides nothing
  try {
    const found = web();
    freezeAll(Object.values(found));
    computing = found;
    return found;
  } catch (error) {
    computing = null;
    throw error;
  } finally {
    block.loading -= 1;
  }
};
for (const name of COMPUTING.split(" ")) {
  defineProperty(global, name, {
    get: () => (computing ?? made())[name],
    enumerable: false,
    configurable: false,
  });
}

// These properties of RegExp would carry text from one block to the next.
const LAST_MATCH =
  "input $_ lastMatch $& lastParen $+ leftContext $` rightContext $' $1 $2 $3 $4 $5 $6 $7 $8 $9";
for (const name of LAST_MATCH.split(" ")) Reflect.deleteProperty(RegExp, name);

const CONSOLE =
  "log info debug warn error trace dir table group groupCollapsed groupEnd time timeEnd timeLog " +
  "count countReset assert clear";
define(global, "console", Object.fromEntries(CONSOLE.split(" ").map((name) => [name, () => {}])));

// `typeof window` asks "is this a browser?". The answer differs there, so the block is rendered
// there again.
const BROWSER_OBJECTS =
  "window document navigator location localStorage sessionStorage matchMedia screen history " +
  "innerWidth innerHeight devicePixelRatio scrollX scrollY visualViewport getComputedStyle alert " +
  "confirm prompt Notification speechSynthesis indexedDB caches customElements Temporal " +
  "requestIdleCallback IntersectionObserver ResizeObserver MutationObserver DOMParser FileReader " +
  "XMLHttpRequest WebSocket BroadcastChannel Worker Image Audio";
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
for (const name of ["clearTimeout", "clearInterval", "cancelAnimationFrame"]) {
  global[name] = () => {};
}
