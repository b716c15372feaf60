// What a page needs where a block differs from its prerendered content, or a visitor has typed before
// it came to life: most visits need neither. Only pages that may need it name it in their import maps.

import { elementsOf, patch, propsOf, tolerating } from "./fresh.js";
import { choose, leftAlone } from "./typed.js";

export { retype, typedIn } from "./typed.js";

/**
 * Hydrate a block that shows something else than it did when it was prerendered, and put it right.
 * @type {(
 *   element: Element, typed: import("./typed.js").Typed[], hydrate: () => void, react: any,
 * ) => void}
 */
export const hydrateFresh = (element, typed, hydrate, react) => {
  const before = elementsOf(element);
  const untouched = leftAlone(typed);
  tolerating(() => react.flushSync(hydrate));
  patch(element, before, react);
  choose(element, untouched, propsOf);
};
