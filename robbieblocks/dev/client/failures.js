// What fails in the open page, with the row's line, which the server finds.

/**
 * @typedef {import("./main.js").Problem} Problem
 * @typedef {{ component: string, block: string }} Failure
 */

const MOST = 20;

/** @type {(component: string) => string[]} The blocks that show a component, or what imports it. */
const blocksOf = (component) =>
  /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".rb-block")])
    .filter((block) => block.dataset.rbComponent?.split(" ").includes(component))
    .map((block) => block.id);

export class Failures {
  /** @param {() => void} changed Is called when there is another one. */
  constructor(changed) {
    this.changed = changed;
    /** @type {Problem[]} */
    this.problems = [];
    addEventListener("rb-dev-failed", () => this.take());
    this.take();
  }

  /** What was heard since the last time. */
  take() {
    /** @type {Failure[]} */
    const heard = /** @type {any} */ (window).rbDevFailures?.splice(0) ?? [];
    for (const failure of heard)
      this.ask(failure).catch((error) => console.warn("RobbieBlocks dev:", error));
  }

  /** @param {Failure} failure */
  async ask(failure) {
    const problems = this.problems;
    const answer = await fetch("/_rb-dev/failed", {
      method: "POST",
      body: JSON.stringify(failure),
    });
    if (answer.status !== 200) return;
    const { component, where, file, text } = await answer.json();
    const blocks = failure.block ? [failure.block] : blocksOf(component);
    const named = blocks.length ? `${where}, block ${blocks.join(" or ")}` : where;
    const known = problems.some((each) => each.where === named && each.text === text);
    if (known || problems.length >= MOST) return;
    problems.push({ where: named, file, text });
    this.changed();
  }

  /** Forget all: another version is shown. */
  clear() {
    this.problems = [];
  }
}
