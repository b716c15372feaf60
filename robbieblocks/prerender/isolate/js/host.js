// What the isolate has before any component: React, and built-in functions as they were at first.

/** @typedef {(this: any, ...given: any[]) => any} AnyFunction */

/** @type {any} */
export const global = globalThis;

const { React, server, jsx, dom = {} } = global.__rb;

export { dom, jsx, React, server };

export const { apply, construct, ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
export const { freeze, create, getPrototypeOf } = Object;
export const RealDate = Date;
export const realNow = Date.now;
export const { parse, stringify } = JSON;

/**
 * Define a property as built-in objects have them: writable, and not enumerated.
 * @param {object} target
 * @param {PropertyKey} name
 * @param {unknown} value
 */
export const define = (target, name, value) =>
  defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });

/**
 * Give a function the name and length of the one that it replaces.
 * @template {AnyFunction} F
 * @param {Function} original
 * @param {F} replacement
 * @returns {F}
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
 * @param {any} target
 * @param {PropertyKey} name
 * @param {(original: AnyFunction) => AnyFunction} make
 */
export const wrapMethod = (target, name, make) => {
  const original = target[name];
  if (typeof original === "function") define(target, name, standIn(original, make(original)));
};
