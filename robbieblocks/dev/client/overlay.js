// What is wrong, over the page, until it is mended.

import { element } from "./element.js";

/** @typedef {import("./main.js").Problem} Problem */

export class Overlay {
  /** @param {ShadowRoot} root */
  constructor(root) {
    const close = element("button", { className: "close", textContent: "Hide" });
    close.addEventListener("click", () => this.hide());
    this.list = element("div");
    this.box = element("section", { className: "overlay", hidden: true }, close, this.list);
    this.box.setAttribute("role", "alert");
    this.told = "";
    root.append(this.box);
  }

  /** @param {Problem[]} problems Shows them; what was hidden comes back when it is not the same. */
  show(problems) {
    const told = JSON.stringify(problems);
    if (told === this.told) return;
    this.told = told;
    this.list.replaceChildren(
      ...problems.flatMap((problem) => [
        element("h2", { textContent: problem.where }),
        element("p", { textContent: problem.file }),
        element("pre", { textContent: problem.text }),
      ]),
    );
    this.box.hidden = problems.length === 0;
  }

  hide() {
    this.box.hidden = true;
  }

  open() {
    this.box.hidden = this.list.childElementCount === 0;
  }
}
