// Brings the open page to what the server has now.

import { patch } from "./patch.js";

/** @type {(page: Document) => string} Which version of a page a document is. */
const versionOf = (page) =>
  /** @type {HTMLElement | null} */ (page.querySelector("[data-rb-dev]"))?.dataset.rbDev ?? "";

/** The page as it was fetched last: what scripts did to the open one is not in it. */
/** @type {Document | null} */
let shown = null;

/** @type {() => Promise<void>} */
const fetchAndPatch = async () => {
  const answer = await fetch(location.href, { cache: "no-store" });
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.redirected || (shown === null && versionOf(now) !== versionOf(document))) {
    location.reload();
    return;
  }
  const before = shown;
  if (before === null || versionOf(before) === versionOf(now)) {
    shown = now;
    return;
  }
  if (await patch(before, now)) shown = now;
  else location.reload();
};

// One after the other: an answer must not come after that of a later question.
let work = Promise.resolve();

/** @type {() => Promise<void>} Bring the open page to what the server has. */
export const refresh = () => {
  work = work.then(fetchAndPatch).catch((error) => console.warn("RobbieBlocks dev:", error));
  return work;
};
