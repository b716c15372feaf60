// The development client: `robbieblocks dev` adds it to each page that it serves. It listens to what
// the server makes, alters the open page accordingly, and shows what is wrong.

import { Bar } from "./bar.js";
import { listen } from "./listening.js";
import { Overlay } from "./overlay.js";
import { refresh } from "./refresh.js";
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

let version = "";

/** @type {(state: State) => void} */
const told = (state) => {
  overlay.show(state.problems);
  bar?.show(state);
  if (state.version === version) return;
  version = state.version;
  if (location.pathname.startsWith("/_rb-dev/")) return;
  refresh();
};

listen("/_rb-dev/events", told);
