// The stages: one frame for each node that is shown, all at one width.

import { element } from "../element.js";
import { applyStates } from "./states.js";

/** @typedef {{ id: string, name: string, theme: string }} Node */

export class Frames {
  /**
   * @param {string} stage
   * @param {() => void} shown Called after frames show something else.
   */
  constructor(stage, shown) {
    this.stage = stage;
    this.shown = shown;
    this.place = element("div", { id: "stages" });
    this.width = 0;
    this.state = "";
    this.media = "";
    this.scripts = true;
    this.version = "";
    /** @type {Node[]} */
    this.list = [];
    /** @type {Map<string, HTMLIFrameElement>} */
    this.frames = new Map();
    this.sizes = new ResizeObserver(() => this.resize());
    addEventListener("message", (event) => {
      const known = [...this.frames.values()].some((each) => each.contentWindow === event.source);
      if (event.data === "rb-workshop-shown" && known) this.settle();
    });
  }

  /** @type {(nodes: Node[]) => void} Shows these nodes, each in a new frame. */
  nodes(nodes) {
    this.list = nodes;
    this.sizes.disconnect();
    this.frames.clear();
    this.place.replaceChildren(
      ...nodes.map(({ id, name, theme }) => {
        const open = element("a", {
          href: this.address(id),
          target: "_blank",
          textContent: "Alone",
        });
        open.setAttribute("aria-label", `Open ${name} alone`);
        const about = element("span", { className: "quiet", textContent: theme });
        const title = element("span", {}, element("b", { textContent: name }), " ", about);
        const viewport = element("div", { className: "viewport" }, this.frame(id));
        this.sizes.observe(viewport);
        return element("figure", {}, element("figcaption", {}, title, open), viewport);
      }),
    );
    this.resize();
  }

  /** @type {(node: string) => string} */
  address(node) {
    return `/_rb-dev/workshop/stage/${this.stage}/${encodeURIComponent(node)}`;
  }

  /** @type {(node: string) => HTMLIFrameElement} */
  frame(node) {
    const frame = element("iframe", { title: `On ${node}` });
    if (!this.scripts) frame.setAttribute("sandbox", "allow-same-origin");
    frame.addEventListener("load", () => !this.scripts && this.settle());
    if (this.version) frame.src = this.address(node);
    this.frames.set(node, frame);
    return frame;
  }

  /** @type {(version: string) => void} Shows what the server has made. */
  show(version) {
    if (version === this.version) return;
    this.version = version;
    for (const [node, frame] of this.frames) {
      const view = frame.contentWindow;
      if (!version) frame.removeAttribute("src");
      else if (!frame.src || !this.scripts || !view) frame.src = this.address(node);
      else view.dispatchEvent(new CustomEvent("rb-workshop-refresh"));
    }
  }

  /** @type {() => void} Another component: nothing of the last one stays. */
  clear() {
    this.version = "";
    this.nodes(this.list);
  }

  settle() {
    for (const frame of this.frames.values()) {
      const page = frame.contentDocument;
      if (page?.querySelector(".rb-block")) applyStates(page, this.state, this.media);
    }
    this.shown();
  }

  resize() {
    for (const frame of this.frames.values()) {
      const place = frame.parentElement;
      if (!place?.clientWidth) continue;
      const width = this.width || place.clientWidth;
      const scale = Math.min(1, place.clientWidth / width);
      frame.style.width = `${width}px`;
      frame.style.height = `${place.clientHeight / scale}px`;
      frame.style.transform = `scale(${scale}) translateX(-50%)`;
    }
  }
}
