// What a page needs where a block differs from its prerendered content, or a visitor has typed before
// it came to life: most visits need neither. Only pages that may need it name it in their import maps.

import { elementsOf, patch, propsOf, tolerating } from "./fresh.js";
import { seeAgain, seenIn } from "./seen.js";
import { choose, leftAlone, retype, typedIn } from "./typed.js";

/** @typedef {{ typed: import("./typed.js").Typed[], seen: import("./seen.js").Seen }} Before */

/** @type {(element: Element) => Before} What a visitor did with a block so far. */
export const doneIn = (element) => ({ typed: typedIn(element), seen: seenIn(element) });

/**
 * Do it again with the elements that came instead. Gives whether one that can be written in said
 * something else.
 * @type {(element: Element, before: Before) => boolean}
 */
export const doAgain = (element, { typed, seen }) => {
  seeAgain(element, seen);
  return retype(element, typed);
};

/**
 * Hydrate a block that shows something else than it did when it was prerendered, and put it right.
 * @type {(element: Element, before: Before, hydrate: () => void, react: any) => void}
 */
export const hydrateFresh = (element, { typed }, hydrate, react) => {
  const before = elementsOf(element);
  const untouched = leftAlone(typed);
  tolerating(() => react.flushSync(hydrate));
  patch(element, before, react);
  choose(element, untouched, propsOf);
};
