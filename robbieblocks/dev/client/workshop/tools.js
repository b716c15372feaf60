// What stands over the stages: width, nodes, states, and as what they are shown.

import { element } from "../element.js";
import { chip, group, redraw } from "./buttons.js";
import { kindOf, resolved } from "./schema.js";
import { MEDIA_KINDS, STATES } from "./states.js";

/** @typedef {import("./frames.js").Node} Node */

const WIDTHS = [390, 768, 1280];
// Props that are states: they get a button beside the others.
const STATE_PROPS = /^(is)?(disabled|loading|busy|selected|checked|open|active|invalid|error)$/i;

export class Tools {
  /**
   * @param {import("./frames.js").Frames} frames
   * @param {import("./controls.js").Controls} controls
   */
  constructor(frames, controls) {
    this.frames = frames;
    this.controls = controls;
    this.place = element("div", { className: "tools" });
    this.states = element("div", { className: "states" });
    /** @type {Node[]} */
    this.nodes = [];
    /** @type {Set<string>} Nodes that are not shown. */
    this.hidden = new Set();
  }

  /** @type {(nodes: Node[]) => void} Shows these nodes, but for those that were put off. */
  showNodes(nodes) {
    this.nodes = nodes;
    this.frames.nodes(nodes.filter(({ id }) => !this.hidden.has(id)));
    this.draw();
  }

  /** @type {(id: string) => void} Shows a node or puts it off; one is always shown. */
  turn(id) {
    const others = this.nodes.filter((node) => node.id !== id && !this.hidden.has(node.id));
    if (this.hidden.delete(id) || !others.length) return this.showNodes(this.nodes);
    this.hidden.add(id);
    this.showNodes(this.nodes);
  }

  draw() {
    const { frames } = this;
    const widths = [...WIDTHS, 0].map((px) =>
      chip(px ? `${px}` : "full", frames.width === px, () => {
        frames.width = px;
        frames.resize();
        this.draw();
      }),
    );
    const nodes = this.nodes.map(({ id, name }) =>
      chip(name || id, !this.hidden.has(id), () => this.turn(id)),
    );
    const media = MEDIA_KINDS.map((kind) =>
      chip(kind, frames.media === kind, () => {
        frames.media = frames.media === kind ? "" : kind;
        frames.settle();
        this.draw();
      }),
    );
    const scripts = chip("no script", !frames.scripts, () => {
      frames.scripts = !frames.scripts;
      frames.nodes(frames.list);
      this.draw();
    });
    redraw(
      this.place,
      group("Width", ...widths),
      ...(nodes.length > 1 ? [group("Nodes", ...nodes)] : []),
      this.states,
      group("As", ...media, scripts),
    );
    this.drawStates();
  }

  drawStates() {
    const { frames, controls } = this;
    const { properties = {} } = resolved(controls.schema, controls.schema);
    const props = Object.entries(properties).filter(
      ([name, part]) =>
        STATE_PROPS.test(name) && kindOf(resolved(controls.schema, part)) === "boolean",
    );
    const forced = STATES.map((state) =>
      chip(state, frames.state === state, () => {
        frames.state = frames.state === state ? "" : state;
        frames.settle();
        this.drawStates();
      }),
    );
    const given = props.map(([name]) =>
      chip(
        name,
        controls.props[name] === true,
        () => controls.set([name], controls.props[name] !== true, true),
        `the prop ${name}`,
      ),
    );
    redraw(this.states, group("State", ...forced, ...given));
  }
}
