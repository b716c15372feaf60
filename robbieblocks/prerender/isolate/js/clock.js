// The clock stands still: equal rows give equal bytes on any day.

import { readVarying } from "./block.js";
import {
  apply,
  construct,
  define,
  defineProperty,
  ownKeys,
  RealDate,
  realNow,
  standIn,
  wrapMethod,
} from "./host.js";

const NOW = Date.UTC(2025, 0, 1);

// A text that names the same instant in every time zone (ECMA-262, Date Time String Format).
const ZONED = /^\s*[+-]?\d{4,6}(-\d\d(-\d\d)?)?\s*$|(Z|GMT|UTC|[+-]\d\d:?\d\d)\s*$/i;

/** @type {any} */
const FrozenDate = standIn(
  RealDate,
  /** @this {unknown} @param {any[]} given */
  function (...given) {
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

for (const name of ownKeys(RealDate.prototype)) {
  if (typeof name !== "string") continue;
  const local = /^(get|set)(?!Time$|UTC)/.test(name) || /^to(Date|Time)?String$/.test(name);
  if (!local) continue;
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
define(globalThis, "performance", {
  timeOrigin: NOW,
  now() {
    readVarying();
    return 0;
  },
  mark() {},
  measure() {},
  clearMarks() {},
  clearMeasures() {},
  getEntriesByName() {
    return [];
  },
});
