// Accessibility: what axe-core finds in a component, with the nodes on which it does.

import { element } from "../element.js";

/**
 * @typedef {{ rule: string, help: string, impact: string, html: string, remedy: string,
 *   selector: string, nodes: string[] }} Finding
 */

const AXE = "/_rb-dev/workshop/axe.js";
// These judge whole pages, and a component is none.
const OF_PAGES = ["region", "page-has-heading-one", "landmark-one-main", "heading-order", "bypass"];
const SHOWN_MS = 1500;

/** @type {(page: Document) => Promise<any>} */
const axeOf = (page) => {
  const view = /** @type {any} */ (page.defaultView);
  view.rbAxe ??= new Promise((done, failed) => {
    const script = page.createElement("script");
    script.src = AXE;
    script.addEventListener("load", () => done(view.axe));
    script.addEventListener("error", async () => {
      // A script does not tell why, its address does.
      const answer = await fetch(AXE).catch(() => null);
      failed(new Error((await answer?.text()) || "axe-core could not be fetched"));
    });
    page.head.append(script);
  });
  return view.rbAxe;
};

/** @type {(frames: Map<string, HTMLIFrameElement>) => Promise<Finding[]>} */
const findings = async (frames) => {
  /** @type {Map<string, Finding>} */
  const found = new Map();
  for (const [node, frame] of frames) {
    const page = frame.contentDocument;
    if (!page?.querySelector(".rb-block")) continue;
    const axe = await axeOf(page);
    const rules = Object.fromEntries(OF_PAGES.map((rule) => [rule, { enabled: false }]));
    const { violations } = await axe.run(".rb-block", { rules, resultTypes: ["violations"] });
    for (const { id, help, impact, nodes } of violations)
      for (const { html, failureSummary, target } of nodes) {
        const key = JSON.stringify([id, target]);
        const known = found.get(key);
        if (known) known.nodes.push(node);
        else
          found.set(key, {
            rule: id,
            help,
            impact,
            html,
            remedy: failureSummary,
            selector: target.join(" "),
            nodes: [node],
          });
      }
  }
  return [...found.values()];
};

export class Findings {
  /** @param {() => Map<string, HTMLIFrameElement>} frames */
  constructor(frames) {
    this.frames = frames;
    this.title = element("h2");
    this.list = element("ul");
    this.place = element("section", { className: "card", id: "findings" }, this.title, this.list);
    this.place.setAttribute("aria-live", "polite");
    this.asked = 0;
    this.work = Promise.resolve();
    this.clear();
  }

  /** Forgets what was judged last. */
  clear() {
    this.asked += 1;
    this.say("Accessibility", []);
  }

  /** @type {(scripts: boolean) => void} Judges what is shown now; a later call outruns this one. */
  judge(scripts) {
    this.asked += 1;
    const asked = this.asked;
    this.work = this.work.then(async () => {
      if (asked !== this.asked) return;
      if (!scripts) {
        this.say("Accessibility: not judged without scripts", []);
        return;
      }
      try {
        const found = await findings(this.frames());
        if (asked !== this.asked) return;
        this.say(
          found.length
            ? `Accessibility: ${found.length} found by axe`
            : "Accessibility: axe finds nothing",
          found,
        );
      } catch (error) {
        this.say(`Accessibility: not judged. ${/** @type {Error} */ (error).message}`, []);
      }
    });
  }

  /** @type {(title: string, found: Finding[]) => void} */
  say(title, found) {
    this.title.textContent = title;
    this.title.className = found.length ? "bad" : "";
    this.list.replaceChildren(...found.map((each) => this.item(each)));
  }

  /** @type {(found: Finding) => HTMLElement} */
  item({ rule, help, impact, html, remedy, selector, nodes }) {
    const show = element("button", { className: "bare", textContent: "Show" });
    show.setAttribute("aria-label", `Show ${rule} on the stage`);
    show.addEventListener("click", () => {
      for (const frame of this.frames().values()) {
        const at = /** @type {HTMLElement | null} */ (
          frame.contentDocument?.querySelector(selector)
        );
        at?.scrollIntoView({ block: "center" });
        at?.animate([{ outline: "4px solid #e11d48" }, { outline: "4px solid #e11d48" }], SHOWN_MS);
      }
    });
    const line = element(
      "div",
      {},
      element("b", { textContent: rule }),
      element("span", { className: "mark wrong", textContent: impact }),
      element("span", { className: "quiet", textContent: `on ${nodes.join(", ")}` }),
      show,
    );
    return element(
      "li",
      {},
      line,
      element("p", { textContent: help }),
      element("code", { textContent: html }),
      element("p", { className: "quiet", textContent: remedy }),
    );
  }
}
