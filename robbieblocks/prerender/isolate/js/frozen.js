// Freezes what blocks share, and all that it leads to.

import { freeze, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } from "./host.js";

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
