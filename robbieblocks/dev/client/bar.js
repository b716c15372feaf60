// The bar: which node, which width, drafts or not, and at which time.

import { element } from "./element.js";

/** @typedef {import("./main.js").State} State */

const WIDTHS = ["390", "768", "1280"];
const CLOSED = "rb-dev-closed";
const FRAME = "/_rb-dev/frame";

/** @type {() => string} The path and query of the page that is shown, in the frame or here. */
const shownPath = () => {
  const frame = document.querySelector("rb-dev")?.shadowRoot?.querySelector("iframe");
  const { pathname, search } = frame?.contentWindow?.location ?? location;
  return pathname + search;
};

export class Bar {
  /**
   * @param {ShadowRoot} root
   * @param {() => void} open Opens the overlay.
   */
  constructor(root, open) {
    const toggle = element("button", { className: "toggle", textContent: "RobbieBlocks" });
    this.state = element("button", { className: "state" });
    this.nodes = element("select");
    this.width = element("select", {}, element("option", { value: "", textContent: "full" }));
    this.width.append(...WIDTHS.map((px) => element("option", { value: px, textContent: px })));
    this.drafts = element("input", { type: "checkbox" });
    this.at = element("input", { type: "datetime-local" });
    this.now = element("button", { textContent: "now" });
    const labelled = (/** @type {string} */ text, /** @type {HTMLElement} */ control) =>
      element("label", {}, text, control);
    this.box = element(
      "div",
      { className: "bar" },
      toggle,
      labelled("node", this.nodes),
      labelled("width", this.width),
      labelled("drafts", this.drafts),
      labelled("at", this.at),
      this.now,
      element("a", { href: "/_rb-dev/workshop/", textContent: "workshop" }),
      this.state,
    );
    root.append(this.box);

    toggle.addEventListener("click", () => this.close(!this.box.classList.contains("closed")));
    this.close(sessionStorage.getItem(CLOSED) === "yes");
    this.state.addEventListener("click", open);
    this.nodes.addEventListener("change", () => location.assign(this.nodes.value + shownPath()));
    this.width.addEventListener("change", () => this.resize());
    this.drafts.addEventListener("change", () => this.send());
    this.at.addEventListener("change", () => this.send());
    this.now.addEventListener("click", () => {
      this.at.value = "";
      this.send();
    });
    this.frame(root);
  }

  /** @param {boolean} closed */
  close(closed) {
    this.box.classList.toggle("closed", closed);
    sessionStorage.setItem(CLOSED, closed ? "yes" : "no");
  }

  /** @param {State} state */
  show(state) {
    this.nodes.replaceChildren(
      ...state.nodes.map(({ id, url }) =>
        element("option", { value: url, textContent: id, selected: id === state.node }),
      ),
    );
    this.drafts.checked = state.drafts;
    this.at.value = state.at ? localTime(new Date(state.at)) : "";
    const { length } = state.problems;
    this.state.textContent = length
      ? `${length} wrong`
      : state.warnings.length
        ? `${state.warnings.length} warnings`
        : "all well";
    this.state.title = state.warnings.map(({ where, text }) => `${where}: ${text}`).join("\n\n");
    this.state.classList.toggle("wrong", length > 0);
  }

  /** Drafts and time are the server's: every open page shows them. */
  send() {
    const at = this.at.value ? new Date(this.at.value).toISOString() : "";
    fetch("/_rb-dev/view", {
      method: "POST",
      body: JSON.stringify({ drafts: this.drafts.checked, at }),
    }).catch((error) => console.warn("RobbieBlocks dev:", error));
  }

  resize() {
    const path = shownPath();
    const width = this.width.value;
    const to = new URLSearchParams({ width, to: path });
    location.assign(width ? `${FRAME}?${to}` : path);
  }

  /** @param {ShadowRoot} root On the frame's page: the page that it names, at its width. */
  frame(root) {
    if (location.pathname !== FRAME) return;
    const asked = new URLSearchParams(location.search);
    const to = new URL(asked.get("to") ?? "/", location.origin);
    const width = asked.get("width") ?? "";
    if (to.origin !== location.origin || !WIDTHS.includes(width)) return;
    this.width.value = width;
    const frame = element("iframe", { className: "frame", src: to.href, title: `${width} px` });
    frame.style.width = `${width}px`;
    root.prepend(frame);
  }
}

/** @type {(at: Date) => string} As an input of this kind holds it, in the browser's zone. */
const localTime = (at) =>
  new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
