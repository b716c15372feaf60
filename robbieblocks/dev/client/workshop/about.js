// What is said of a component: its name and file, and the blocks that show it.

import { element } from "../element.js";

/**
 * @typedef {import("./workshop.js").Listed} Listed
 * @typedef {import("./workshop.js").Component} Component
 */

/** @type {(listed: Listed, component: Component) => (Node | string)[]} */
export const headOf = ({ key, name, type, version }, { file, schemaProblem }) => [
  element("h1", { textContent: name || key }),
  element("span", {
    className: "quiet",
    textContent: [key, type, version].filter(Boolean).join(" · "),
  }),
  element("code", { className: "quiet", textContent: file || `the row ${key}, in no file` }),
  schemaProblem &&
    element("p", { className: "bad", textContent: `props_schema: ${schemaProblem}` }),
];

/** @type {(component: Component) => Node[]} */
export const usesOf = ({ uses }) => {
  const pages = new Set(uses.map((each) => each.page)).size;
  const rows = uses.map(({ name, page, draft, block, zone, links }) =>
    element(
      "li",
      {},
      element(
        "div",
        {},
        element("b", { textContent: name || page }),
        draft ? element("span", { className: "mark", textContent: "draft" }) : "",
        element("span", { className: "quiet", textContent: `${page} · block ${block} in ${zone}` }),
      ),
      element(
        "div",
        {},
        ...Object.entries(links).map(([node, href]) => element("a", { href, textContent: node })),
      ),
    ),
  );
  const title = pages === 1 ? "On 1 page" : pages ? `On ${pages} pages` : "On no page";
  return [element("h2", { textContent: title }), element("ul", {}, ...rows)];
};

/** @type {(text: string) => Node} What is seen where no component is chosen. */
export const welcomeOf = (text) =>
  element(
    "div",
    { className: "welcome" },
    element("h1", { textContent: text || "Choose a component" }),
    element("p", {
      className: "quiet",
      textContent: "It is shown alone, on every node, with its props beside it.",
    }),
  );
