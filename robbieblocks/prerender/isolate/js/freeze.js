// Freezes everything that blocks share, so that none can change what another one sees.

import {
  defineProperty,
  freeze,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  global,
  ownKeys,
  React,
  RealDate,
} from "./host.js";
import { LOCALE } from "./locale.js";
import { provided, sharedByReact, unguardedReact } from "./react.js";

/**
 * Let objects still assign to properties that a frozen prototype has: libraries do that to these.
 * @param {any} target
 * @param {PropertyKey[]} names
 */
const makeShadowable = (target, names) => {
  for (const name of names) {
    const current = getOwnPropertyDescriptor(target, name);
    if (!current || !("value" in current) || !current.configurable) continue;
    const { value, enumerable } = current;
    defineProperty(target, name, {
      get() {
        return value;
      },
      set(next) {
        if (this === target)
          throw new TypeError(`Cannot change ${String(name)}: all blocks share it`);
        if (this === null || (typeof this !== "object" && typeof this !== "function")) return;
        defineProperty(this, name, {
          value: next,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      },
      enumerable,
      configurable: false,
    });
  }
};

makeShadowable(
  Object.prototype,
  ownKeys(Object.prototype).filter((name) => name !== "__proto__"),
);
makeShadowable(Function.prototype, ["constructor", "toString", "name", "bind", "call", "apply"]);
for (const Kind of [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
]) {
  makeShadowable(Kind.prototype, ["constructor", "name", "message", "toString"]);
}
for (const Kind of [
  Array,
  Map,
  Set,
  WeakMap,
  Promise,
  RegExp,
  RealDate,
  Iterator,
  React.Component,
  React.PureComponent,
]) {
  makeShadowable(Kind.prototype, [
    "constructor",
    "toString",
    "toJSON",
    "then",
    "next",
    "return",
    "setState",
  ]);
}

/**
 * Freeze objects and all that can be reached from them, but for the global object.
 * @param {unknown[]} roots
 */
const freezeAll = (roots) => {
  const frozen = new WeakSet();
  const pending = [...roots];
  while (pending.length > 0) {
    /** @type {any} */
    const it = pending.pop();
    if (it === null || (typeof it !== "object" && typeof it !== "function") || frozen.has(it))
      continue;
    frozen.add(it);
    for (const name of ownKeys(it)) {
      const property = /** @type {PropertyDescriptor} */ (getOwnPropertyDescriptor(it, name));
      if ("value" in property) pending.push(property.value);
      else pending.push(property.get, property.set);
    }
    pending.push(getPrototypeOf(it));
    if (it !== globalThis) freeze(it);
  }
};

const segments = new Intl.Segmenter(LOCALE).segment("a");
function* generator() {}
async function* asyncGenerator() {}
/** @type {any} */ (Error).stackTraceLimit = 60; // the frames of packages must not hide the component's
freezeAll([
  globalThis,
  provided,
  unguardedReact,
  ...sharedByReact,
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
  const property = /** @type {PropertyDescriptor} */ (getOwnPropertyDescriptor(globalThis, name));
  defineProperty(
    globalThis,
    name,
    "value" in property ? { writable: false, configurable: false } : { configurable: false },
  );
}
Object.preventExtensions(globalThis);
