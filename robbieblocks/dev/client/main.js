// The development client: `robbieblocks dev` adds it to each page that it serves. It listens to what
// the server makes, alters the open page accordingly, and shows what is wrong.

import { Bar } from "./bar.js";
import { Overlay } from "./overlay.js";
import { patch } from "./patch.js";
import { root } from "./root.js";

/**
 * @typedef {{ where: string, file: string, text: string }} Problem
 * @typedef {{
 *   version: string, problems: Problem[], warnings: Problem[], drafts: boolean, at: string,
 *   node: string, nodes: { id: string, url: string }[],
 * }} State
 */

const inFrame = window.top !== window;
const overlay = new Overlay(root);
const bar = inFrame ? null : new Bar(root, () => overlay.open());

/** @type {(page: Document) => string} Which version of a page a document is. */
const versionOf = (page) =>
  /** @type {HTMLElement | null} */ (page.querySelector("[data-rb-dev]"))?.dataset.rbDev ?? "";

/** The page as it was fetched last: what scripts did to the open one is not in it. */
/** @type {Document | null} */
let shown = null;

/** @type {() => Promise<void>} Bring the open page to what the server has. */
const refresh = async () => {
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
let version = "";

/** @type {(event: MessageEvent) => void} */
const told = (event) => {
  /** @type {State} */
  const state = JSON.parse(event.data);
  overlay.show(state.problems);
  bar?.show(state);
  if (state.version === version) return;
  version = state.version;
  if (location.pathname.startsWith("/_rb-dev/")) return;
  work = work.then(refresh).catch((error) => console.warn("RobbieBlocks dev:", error));
};

// A browser keeps few connections to a server: a tab that nobody sees needs none.
/** @type {EventSource | null} */
let events = null;
const listen = () => {
  if (document.hidden) {
    events?.close();
    events = null;
  } else if (events === null) {
    events = new EventSource("/_rb-dev/events");
    events.addEventListener("message", told);
  }
};
document.addEventListener("visibilitychange", listen);
listen();
