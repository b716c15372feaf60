// Equal rows give equal bytes: randomness, the clock and the locale are the same for every block. One
// that has read them is rendered again in the browser.

import { LOCALE, NOW, SEED } from "./here.js";
import {
  apply,
  construct,
  define,
  defineProperty,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  ownKeys,
  RealDate,
  readVarying,
  realNow,
  standIn,
  wrapMethod,
} from "./host.js";

// Random numbers are those of sfc32, started afresh for each block.
let [a, b, c, d] = [0, 0, 0, 0];

export const reseed = () => {
  [a, b, c, d] = SEED;
};

const random32 = () => {
  const t = (((a + b) | 0) + d) | 0;
  d = (d + 1) | 0;
  a = b ^ (b >>> 9);
  b = (c + (c << 3)) | 0;
  c = (((c << 21) | (c >>> 11)) + t) | 0;
  return t >>> 0;
};

const randomUnit = () => {
  readVarying();
  return random32() / 4294967296;
};
define(Math, "random", standIn(Math.random, randomUnit));

/** @typedef {import("./host.js").AnyFunction} AnyFunction */

/**
 * The object, of which browsers have more: whoever asks it for a name that is not there gets another
 * answer from them.
 * @type {<T extends object>(object: T) => T}
 */
const notingAbsent = (object) => {
  const { get, has, setPrototypeOf } = Reflect;
  /** @type {(target: object, name: PropertyKey) => boolean} */
  const isThere = (target, name) => {
    const there = has(target, name);
    if (!there && typeof name === "string") readVarying();
    return there;
  };
  const below = new Proxy(Object.create(Object.prototype), {
    has: isThere,
    get: (target, name, receiver) =>
      isThere(target, name) ? get(target, name, receiver) : undefined,
  });
  setPrototypeOf(object, below);
  return object;
};

const HEX = "0123456789abcdef";
const crypto = notingAbsent({
  /** @param {ArrayBufferView} view */
  getRandomValues(view) {
    readVarying();
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = random32();
    return view;
  },
  randomUUID() {
    readVarying();
    return "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () => HEX[random32() & 15]);
  },
});
define(globalThis, "crypto", crypto);

// A text that names the same instant in every time zone (ECMA-262, Date Time String Format).
const ZONED = /^\s*[+-]?\d{4,6}(-\d\d(-\d\d)?)?\s*$|(Z|GMT|UTC|[+-]\d\d:?\d\d)\s*$/i;

/** @type {any} */
const FrozenDate = standIn(
  RealDate,
  /** @type {AnyFunction} */ function (...given) {
    if (!new.target) {
      readVarying();
      return new RealDate(NOW).toString();
    }
    if (given.length === 0) {
      readVarying();
      given = [NOW];
    } else if (given.length > 1 || (typeof given[0] === "string" && !ZONED.test(given[0]))) {
      // Several numbers, or a text without an offset, are read in the visitor's time zone.
      readVarying();
    }
    return construct(RealDate, given, new.target === FrozenDate ? RealDate : new.target);
  },
);

const frozenNow = () => {
  readVarying();
  return NOW;
};
/** @param {string} text */
const frozenParse = (text) => {
  if (!ZONED.test(text)) readVarying();
  return RealDate.parse(text);
};
define(FrozenDate, "now", standIn(realNow, frozenNow));
define(FrozenDate, "parse", standIn(RealDate.parse, frozenParse));
define(FrozenDate, "UTC", RealDate.UTC);
defineProperty(FrozenDate, "prototype", { value: RealDate.prototype, writable: false });
define(RealDate.prototype, "constructor", FrozenDate);

for (const name of Object.getOwnPropertyNames(RealDate.prototype)) {
  if (!/^(get|set)(?!Time$|UTC)|^to(Date|Time)?String$/.test(name)) continue;
  wrapMethod(
    RealDate.prototype,
    name,
    (original) =>
      function (...given) {
        readVarying();
        return apply(original, this, given);
      },
  );
}

define(globalThis, "Date", FrozenDate);
const noEntries = () => {
  readVarying();
  return [];
};
const performance = notingAbsent({
  get timeOrigin() {
    return frozenNow();
  },
  now() {
    readVarying();
    return 0;
  },
  mark() {},
  measure() {},
  clearMarks() {},
  clearMeasures() {},
  getEntries: noEntries,
  getEntriesByName: noEntries,
  getEntriesByType: noEntries,
});
define(globalThis, "performance", performance);

// Text is made for one locale where a component names none, since that means the visitor's. Of locales
// that are not there a browser may know one, and takes the visitor's otherwise.
const { supportedLocalesOf } = Intl.NumberFormat;
/** @param {any} locales */
const named = (locales) => {
  if (locales === undefined || (Array.isArray(locales) && locales.length === 0)) {
    readVarying();
    return LOCALE;
  }
  try {
    if (supportedLocalesOf(locales).length === 0) {
      readVarying();
      return LOCALE;
    }
  } catch {
    // What names no locale throws in the method itself.
  }
  return locales;
};

// Dates are written in the visitor's time zone where none is named.
/** @param {any} options */
const inNamedZone = (options) => {
  if (options?.timeZone === undefined) readVarying();
};

/** @type {[object, string][]} */
const LOCALES_FIRST = [
  [Number.prototype, "toLocaleString"],
  [BigInt.prototype, "toLocaleString"],
  [String.prototype, "toLocaleUpperCase"],
  [String.prototype, "toLocaleLowerCase"],
  [Array.prototype, "toLocaleString"],
  [getPrototypeOf(Uint8Array.prototype), "toLocaleString"],
];
for (const [target, name] of LOCALES_FIRST) {
  wrapMethod(
    target,
    name,
    (original) =>
      function (locales, ...rest) {
        return apply(original, this, [named(locales), ...rest]);
      },
  );
}
wrapMethod(
  String.prototype,
  "localeCompare",
  (original) =>
    function (that, locales, ...rest) {
      return apply(original, this, [that, named(locales), ...rest]);
    },
);
for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) {
  wrapMethod(
    RealDate.prototype,
    name,
    (original) =>
      function (locales, ...rest) {
        inNamedZone(rest[0]);
        return apply(original, this, [named(locales), ...rest]);
      },
  );
}

/** @type {any} */
const intl = Intl;
for (const name of ownKeys(intl)) {
  const Original = intl[name];
  if (name === "Locale" || typeof Original !== "function" || !Original.prototype) continue;
  /** @type {any} */
  const Localised = standIn(
    Original,
    /** @type {AnyFunction} */ function (locales, ...rest) {
      if (name === "DateTimeFormat") inNamedZone(rest[0]);
      const given = [named(locales), ...rest];
      return new.target
        ? construct(Original, given, new.target === Localised ? Original : new.target)
        : apply(Original, this, given);
    },
  );
  for (const key of ownKeys(Original)) {
    if (key === "supportedLocalesOf") define(Localised, key, Original[key]);
  }
  defineProperty(Localised, "prototype", { value: Original.prototype, writable: false });
  define(Original.prototype, "constructor", Localised);
  define(intl, name, Localised);
}

// Without a date these write the present.
const dates = intl.DateTimeFormat.prototype;
/** @type {(original: AnyFunction) => AnyFunction} */
const writing = (original) =>
  function (date) {
    return apply(original, this, [date === undefined ? frozenNow() : date]);
  };
wrapMethod(dates, "formatToParts", writing);
const formatOf = /** @type {AnyFunction} */ (getOwnPropertyDescriptor(dates, "format")?.get);
/** @type {WeakMap<Function, AnyFunction>} */
const formats = new WeakMap();
defineProperty(dates, "format", {
  get: standIn(
    formatOf,
    /** @type {AnyFunction} */ function () {
      const original = apply(formatOf, this, []);
      const known = formats.get(original) ?? standIn(original, writing(original));
      formats.set(original, known);
      return known;
    },
  ),
});
