// The development client: `robbieblocks dev` adds it to each page that it serves. It listens to what
// the server makes, alters the open page accordingly, and shows what is wrong.

import { Bar } from "./bar.js";
import { Failures } from "./failures.js";
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

/** @type {State | null} */
let last = null;

const show = () => {
  if (last === null) return;
  const problems = [...last.problems, ...failures.problems];
  overlay.show(problems);
  bar?.show({ ...last, problems });
};
const failures = new Failures(show);

/** @type {(state: State) => void} */
const told = (state) => {
  const version = last?.version ?? "";
  if (version !== state.version && version !== "") failures.clear();
  last = state;
  show();
  if (state.version === version) return;
  if (location.pathname.startsWith("/_rb-dev/")) return;
  refresh();
};

listen("/_rb-dev/events", told);
