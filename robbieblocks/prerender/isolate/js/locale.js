// Text is made for one locale where a component names none, since that means the visitor's.

import { readVarying } from "./block.js";
import {
  apply,
  construct,
  define,
  defineProperty,
  getPrototypeOf,
  ownKeys,
  RealDate,
  standIn,
  wrapMethod,
} from "./host.js";

export const LOCALE = "en-US";

/** @param {unknown} locales */
const named = (locales) => {
  if (locales !== undefined && !(Array.isArray(locales) && locales.length === 0)) return locales;
  readVarying();
  return LOCALE;
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
        readVarying(); // the visitor's time zone and version of ICU change the text as well
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
    /** @this {unknown} */
    function (locales, ...rest) {
      if (name === "DateTimeFormat") readVarying();
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
