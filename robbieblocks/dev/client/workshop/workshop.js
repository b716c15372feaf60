// The workshop: the list of components, and one of them on its stages.

import { element } from "../element.js";
import { listen } from "../listening.js";
import { headOf, usesOf, welcomeOf } from "./about.js";
import { chip, redraw } from "./buttons.js";
import { Controls } from "./controls.js";
import { Findings } from "./findings.js";
import { Frames } from "./frames.js";
import { List } from "./list.js";
import { Saving } from "./saving.js";
import { firstValue } from "./schema.js";
import { Tools } from "./tools.js";
import { areEqual } from "./values.js";

/**
 * @typedef {import("./controls.js").Problem} Problem
 * @typedef {import("./frames.js").Node} Node
 * @typedef {{ key: string, name: string, type: string, version: string, module: boolean,
 *   draft: boolean, pages: number, examples: number, wrong: boolean }} Listed
 * @typedef {{ components: Listed[], nodes: Node[], node: string,
 *   stage: { component: string, version: string, problems: Problem[] } | null }} Told
 * @typedef {{ name: string, title: string, description: string, props: any, digest: string }} Example
 * @typedef {{ page: string, name: string, draft: boolean, block: number, zone: string, props: any,
 *   links: { [node: string]: string } }} Use
 * @typedef {{ key: string, schema: any, schemaProblem: string, file: string, saves: boolean,
 *   examples: Example[], uses: Use[] }} Component
 */

const HERE = "/_rb-dev/workshop/";
const DEBOUNCE_MS = 120;

const stageId = crypto.randomUUID().replace(/-/g, "").slice(0, 16);
const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const [main, side] = [byId("main"), byId("side")];

/** @type {Told} */
let told = { components: [], nodes: [], node: "", stage: null };
/** @type {Component | null} */
let component = null;
/** What is shown: an example's name, or as none is named, where else the props come from. */
let source = "";

const frames = new Frames(stageId, () => findings.judge(frames.scripts));
const findings = new Findings(() => frames.frames);
const controls = new Controls(element("div", { className: "controls" }), () => {
  tools.drawStates();
  ask();
});
const tools = new Tools(frames, controls);
const saving = new Saving(
  () => ({ component, props: controls.props, source }),
  (name) => {
    source = name;
  },
);
const head = element("header", { className: "head" });
const problems = element("section", { className: "problems", hidden: true });
problems.setAttribute("role", "alert");
const examples = element("div", { className: "chips" });
const uses = element("section", { className: "card", id: "uses" });

/** @type {() => string} */
const chosen = () => new URLSearchParams(location.search).get("component") ?? "";
const list = new List(chosen);

// --- what the server is asked -------------------------------------------------------------------

let waiting = 0;
const ask = (delay = DEBOUNCE_MS) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (!component) return;
    const body = JSON.stringify({
      stage: stageId,
      component: component.key,
      props: controls.props,
    });
    fetch(`${HERE}stage`, { method: "POST", body }).catch(() => {});
  }, delay);
};

let asked = 0;
/** @type {() => Promise<void>} Show the component that the address names. */
const load = async () => {
  const key = chosen();
  asked += 1;
  const mine = asked;
  const listed = told.components.find((each) => each.key === key);
  if (!key || !listed) {
    component = null;
    side.hidden = true;
    document.title = "Workshop";
    main.replaceChildren(
      welcomeOf(key && told.nodes.length ? `There is no component ${key}.` : ""),
    );
    return;
  }
  const answer = await fetch(`${HERE}component?key=${encodeURIComponent(key)}`).catch(() => null);
  if (mine !== asked || !answer?.ok) return;
  /** @type {Component | null} */
  const found = await answer.json();
  if (mine !== asked || !found) return;
  const before = component;
  component = found;
  if (before?.key !== key) {
    begin(listed);
  } else if (JSON.stringify(before) !== JSON.stringify(found)) {
    follow(before, found);
    if (JSON.stringify(before.schema) !== JSON.stringify(found.schema))
      controls.show(found.schema, controls.props);
  } else return;
  head.replaceChildren(...headOf(listed, found));
  drawExamples();
  uses.replaceChildren(...usesOf(found));
  tools.drawStates();
};

/**
 * What is shown of an example follows its file. What a person made of it is theirs: it is no longer
 * the example, and so does not replace what somebody else wrote.
 * @type {(before: Component, now: Component) => void}
 */
const follow = (before, now) => {
  const [was, is] = [before, now].map((each) => each.examples.find(({ name }) => name === source));
  if (!was || was.digest === is?.digest || areEqual(is?.props, controls.props)) return;
  if (is && areEqual(was.props, controls.props)) {
    controls.show(now.schema, is.props);
    ask(0);
  } else source = "";
};

/** @type {(state: Told) => void} */
const tell = (state) => {
  const before = told;
  told = state;
  if (JSON.stringify(before.components) !== JSON.stringify(state.components))
    list.show(state.components);
  if (JSON.stringify(before.nodes) !== JSON.stringify(state.nodes)) tools.showNodes(state.nodes);
  load();
  const stage = state.stage;
  if (!component || stage?.component !== component.key) return;
  frames.show(stage.version);
  const errors = stage.problems.filter((each) => each.severity === "error");
  const rest = controls.tell(errors);
  problems.hidden = rest.length === 0;
  problems.replaceChildren(
    element("h2", { textContent: "It can't be shown like this" }),
    ...rest.map((each) =>
      element("pre", {
        textContent:
          each.remedy && each.pointer !== null ? `${each.text}\n  -> ${each.remedy}` : each.text,
      }),
    ),
  );
};

// --- what is drawn ------------------------------------------------------------------------------

/** @type {(schema: any) => any} The least that a schema takes. */
const leastOf = (schema) => firstValue(schema, { type: "object", ...schema });

/** @type {(listed: Listed) => void} A component that was not shown before. */
const begin = (listed) => {
  const { schema, examples: saved, uses: used } = /** @type {Component} */ (component);
  const [first] = saved;
  source = first ? first.name : used.length ? "/page" : "/schema";
  const props = first?.props ?? used[0]?.props ?? leastOf(schema);
  controls.problems = [];
  saving.say("");
  controls.show(schema, props);
  problems.hidden = true;
  frames.clear();
  findings.clear();
  side.hidden = listed.module;
  document.title = `${listed.name || listed.key} · Workshop`;
  const body = listed.module
    ? [element("p", { textContent: "A module: components import it, and it shows nothing." })]
    : [tools.place, problems, frames.place, findings.place];
  main.replaceChildren(head, ...body, uses);
  side.replaceChildren(
    element("h2", { textContent: "Props" }),
    examples,
    controls.place,
    saving.place,
  );
  main.scrollTo(0, 0);
  tools.draw();
  list.draw();
  if (!listed.module) ask(0);
};

const drawExamples = () => {
  const { examples: saved, uses: used, schema } = /** @type {Component} */ (component);
  const show = (/** @type {string} */ name, /** @type {any} */ props) => () => {
    source = name;
    controls.show(schema, props);
    drawExamples();
    tools.drawStates();
    ask(0);
  };
  const chips = saved.map(({ name, title, description, props }) =>
    chip(title, source === name, show(name, props), description),
  );
  if (used[0])
    chips.push(
      chip("As on a page", source === "/page", show("/page", used[0].props), used[0].name),
    );
  chips.push(chip("From the schema", source === "/schema", show("/schema", leastOf(schema))));
  redraw(examples, ...chips);
  saving.draw();
};

// --- what a person does -------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const link = /** @type {HTMLElement} */ (event.target).closest?.("a");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  if (!plain || !link || link.target || link.origin !== location.origin) return;
  if (link.pathname !== HERE) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  list.draw();
  load();
});
addEventListener("popstate", () => {
  list.draw();
  load();
});
// The server forgot the stage with the connection.
listen(`${HERE}events?stage=${stageId}`, tell, () => ask(0));
