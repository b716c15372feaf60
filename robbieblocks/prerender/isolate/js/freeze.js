// Freezes everything that blocks share, so that none can change what another one sees.

import { freezeAll, makeShadowable } from "./frozen.js";
import { LOCALE } from "./here.js";
import {
  defineProperty,
  freeze,
  getOwnPropertyDescriptor,
  global,
  ownKeys,
  React,
  RealDate,
} from "./host.js";
import { handedOut, provided, unguardedReact } from "./react.js";

makeShadowable(
  Object.prototype,
  ownKeys(Object.prototype).filter((name) => name !== "__proto__"),
);
makeShadowable(Function.prototype, ["constructor", "toString", "name", "bind", "call", "apply"]);
const ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
for (const Kind of [...ERRORS, AggregateError]) {
  makeShadowable(Kind.prototype, ["constructor", "name", "message", "toString"]);
}
const KINDS = [Array, Map, Set, WeakMap, Promise, RegExp, RealDate, Iterator];
const METHODS = ["constructor", "toString", "toJSON", "then", "next", "return", "setState"];
for (const Kind of [...KINDS, React.Component, React.PureComponent]) {
  makeShadowable(Kind.prototype, METHODS);
}

const segments = new Intl.Segmenter(LOCALE).segment("a");
function* generator() {}
async function* asyncGenerator() {}
freezeAll([
  globalThis,
  provided,
  unguardedReact,
  ...handedOut,
  ...Object.values(getOwnPropertyDescriptor(new Error(), "stack") ?? {}), // errors share accessors
  generator,
  generator(),
  asyncGenerator,
  asyncGenerator(),
  async () => {},
  [][Symbol.iterator](),
  new Map()[Symbol.iterator](),
  new Set()[Symbol.iterator](),
  ""[Symbol.iterator](),
  "a".matchAll(/a/g),
  Iterator.from?.({ next: () => ({ done: true, value: undefined }) }),
  [].values().map?.((x) => x),
  freeze([]),
  new Int8Array(),
  segments,
  segments[Symbol.iterator](),
  typeof global.__TimerManager === "function" ? global.__TimerManager : null,
]);
for (const name of ownKeys(globalThis)) {
  const { get, set } = /** @type {PropertyDescriptor} */ (
    getOwnPropertyDescriptor(globalThis, name)
  );
  defineProperty(globalThis, name, {
    configurable: false,
    ...(get || set ? {} : { writable: false }),
  });
}
Object.preventExtensions(globalThis);
