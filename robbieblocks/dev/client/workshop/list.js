// The list of components, and the search in it.

import { element } from "../element.js";

/** @typedef {import("./workshop.js").Listed} Listed */

const list = /** @type {HTMLElement} */ (document.getElementById("components"));
const none = /** @type {HTMLElement} */ (document.getElementById("none"));
const search = /** @type {HTMLInputElement} */ (document.getElementById("search"));

export class List {
  /** @param {() => string} chosen The key of the component that is shown. */
  constructor(chosen) {
    this.chosen = chosen;
    /** @type {Listed[]} */
    this.components = [];
    search.addEventListener("input", () => this.draw());
    search.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") list.querySelector("a")?.focus();
    });
  }

  /** @type {(components: Listed[]) => void} */
  show(components) {
    this.components = components;
    this.draw();
  }

  draw() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = this.components.filter(({ key, name, type }) => {
      const text = `${key} ${name} ${type}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    none.hidden = shown.length > 0 || !this.components.length;
    const focused = list.contains(document.activeElement) && document.activeElement?.textContent;
    const links = shown.map((each) => this.link(each));
    list.replaceChildren(...links.map((each) => element("li", {}, each)));
    links.find((each) => each.textContent === focused)?.focus();
  }

  /** @type {(listed: Listed) => HTMLElement} */
  link({ key, name, type, version, module, draft, pages, examples, wrong }) {
    const about = [type, version];
    if (!module) about.push(pages === 1 ? "1 page" : `${pages} pages`);
    if (examples) about.push(examples === 1 ? "1 example" : `${examples} examples`);
    const mark = wrong ? "error" : draft ? "draft" : module ? "module" : "";
    const link = element(
      "a",
      { href: `?component=${encodeURIComponent(key)}`, title: key },
      element("span", { className: "name", textContent: name || key }),
      mark && element("span", { className: wrong ? "mark wrong" : "mark", textContent: mark }),
      element("span", { className: "quiet", textContent: about.filter(Boolean).join(" · ") }),
    );
    if (key === this.chosen()) link.setAttribute("aria-current", "page");
    return link;
  }
}
