// Freezes what blocks share, and all that it leads to.

import {
  defineProperty,
  freeze,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  ownKeys,
} from "./host.js";

/** @param {unknown[]} roots - these and all that they lead to are frozen, except the global object */
export const freezeAll = (roots) => {
  const frozen = new WeakSet();
  const pending = [...roots];
  while (pending.length > 0) {
    /** @type {any} */
    const it = pending.pop();
    if (Object(it) !== it || frozen.has(it)) continue;
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

/**
 * Let objects still assign to properties that a frozen prototype has: libraries do that to these.
 * @type {(target: any, names: PropertyKey[]) => void}
 */
export const makeShadowable = (target, names) => {
  for (const name of names) {
    const current = getOwnPropertyDescriptor(target, name);
    if (!current || !("value" in current) || !current.configurable) continue;
    const { value, enumerable } = current;
    defineProperty(target, name, {
      get: () => value,
      set(next) {
        if (this === target)
          throw new TypeError(`Cannot change ${String(name)}: all blocks share it`);
        if (Object(this) !== this) return;
        const own = { writable: true, enumerable: true, configurable: true };
        defineProperty(this, name, { value: next, ...own });
      },
      enumerable,
      configurable: false,
    });
  }
};
