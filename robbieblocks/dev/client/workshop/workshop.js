// The workshop: the list of components, and one of them on its stages.

import { element } from "../element.js";
import { Controls } from "./controls.js";
import { Findings } from "./findings.js";
import { Frames } from "./frames.js";
import { Saving } from "./saving.js";
import { firstValue, kindOf, resolved } from "./schema.js";
import { MEDIA_KINDS, STATES } from "./states.js";

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
const WIDTHS = [390, 768, 1280];
const DEBOUNCE_MS = 120;
// Props that are states: they get a button beside the others.
const STATE_PROPS = /^(is)?(disabled|loading|busy|selected|checked|open|active|invalid|error)$/i;

const stageId = crypto.randomUUID().replace(/-/g, "").slice(0, 16);
const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const [main, side, list] = [byId("main"), byId("side"), byId("components")];
const search = /** @type {HTMLInputElement} */ (byId("search"));

/** @type {Told} */
let told = { components: [], nodes: [], node: "", stage: null };
/** @type {Component | null} */
let component = null;
/** What is shown: an example's name, or where else the props come from. */
let source = "";
/** @type {Set<string>} Nodes that are not shown. */
const hidden = new Set();

const frames = new Frames(stageId, () => findings.judge(frames.scripts));
const findings = new Findings(() => frames.frames);
const controls = new Controls(element("div", { className: "controls" }), () => {
  drawStates();
  ask();
});
const saving = new Saving(
  () => ({ component, props: controls.props, source }),
  (name) => {
    source = name;
  },
);
const head = element("header", { className: "head" });
const tools = element("div", { className: "tools" });
const states = element("div", { className: "states" });
const problems = element("section", { className: "problems", hidden: true });
problems.setAttribute("role", "alert");
const examples = element("div", { className: "chips" });
const uses = element("section", { className: "card", id: "uses" });

/** @type {() => string} */
const chosen = () => new URLSearchParams(location.search).get("component") ?? "";

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

/** @type {EventSource | null} */
let events = null;
const listen = () => {
  if (document.hidden) {
    events?.close();
    events = null;
  } else if (events === null) {
    events = new EventSource(`${HERE}events?stage=${stageId}`);
    events.addEventListener("message", (event) => tell(JSON.parse(event.data)));
    // The server forgot the stage with the connection.
    events.addEventListener("open", () => ask(0));
  }
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
    welcome(key && told.nodes.length ? `There is no component ${key}.` : "");
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
    if (JSON.stringify(before.schema) !== JSON.stringify(found.schema))
      controls.show(found.schema, controls.props);
  } else return;
  drawHead(listed);
  drawExamples();
  drawUses();
  drawStates();
};

/** @type {(state: Told) => void} */
const tell = (state) => {
  const before = told;
  told = state;
  if (JSON.stringify(before.components) !== JSON.stringify(state.components)) drawList();
  if (JSON.stringify(before.nodes) !== JSON.stringify(state.nodes)) drawNodes();
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

const drawList = () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = told.components.filter(({ key, name, type }) => {
    const text = `${key} ${name} ${type}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  byId("none").hidden = shown.length > 0 || !told.components.length;
  list.replaceChildren(
    ...shown.map(({ key, name, type, version, module, draft, pages, examples: count, wrong }) => {
      const about = [type, version];
      if (!module) about.push(pages === 1 ? "1 page" : `${pages} pages`);
      if (count) about.push(count === 1 ? "1 example" : `${count} examples`);
      const mark = wrong ? "error" : draft ? "draft" : module ? "module" : "";
      const link = element(
        "a",
        { href: `${HERE}?component=${encodeURIComponent(key)}`, title: key },
        element("span", { className: "name", textContent: name || key }),
        mark && element("span", { className: wrong ? "mark wrong" : "mark", textContent: mark }),
        element("span", { className: "quiet", textContent: about.filter(Boolean).join(" · ") }),
      );
      if (key === chosen()) link.setAttribute("aria-current", "page");
      return element("li", {}, link);
    }),
  );
};

const drawNodes = () => {
  frames.nodes(told.nodes.filter(({ id }) => !hidden.has(id)));
  drawTools();
};

/** @type {(text: string) => void} */
const welcome = (text) => {
  side.hidden = true;
  document.title = "Workshop";
  main.replaceChildren(
    element(
      "div",
      { className: "welcome" },
      element("h1", { textContent: text || "Choose a component" }),
      element("p", {
        className: "quiet",
        textContent: "It is shown alone, on every node, with its props beside it.",
      }),
    ),
  );
};

/** @type {(listed: Listed) => void} A component that was not shown before. */
const begin = (listed) => {
  const { schema, examples: saved, uses: used } = /** @type {Component} */ (component);
  const [first] = saved;
  source = first ? first.name : used.length ? "page" : "schema";
  const props = first?.props ?? used[0]?.props ?? firstValue(schema, { type: "object", ...schema });
  controls.problems = [];
  controls.show(schema, props);
  problems.hidden = true;
  frames.clear();
  side.hidden = listed.module;
  document.title = `${listed.name || listed.key} · Workshop`;
  const body = listed.module
    ? [element("p", { textContent: "A module: components import it, and it shows nothing." })]
    : [tools, problems, frames.place, findings.place];
  main.replaceChildren(head, ...body, uses);
  side.replaceChildren(
    element("h2", { textContent: "Props" }),
    examples,
    controls.place,
    saving.place,
  );
  main.scrollTo(0, 0);
  drawTools();
  drawList();
  if (!listed.module) ask(0);
};

/** @type {(listed: Listed) => void} */
const drawHead = ({ key, name, type, version }) => {
  const { file, schemaProblem } = /** @type {Component} */ (component);
  head.replaceChildren(
    element("h1", { textContent: name || key }),
    element("span", {
      className: "quiet",
      textContent: [key, type, version].filter(Boolean).join(" · "),
    }),
    element("code", { className: "quiet", textContent: file || `the row ${key}, in no file` }),
    schemaProblem &&
      element("p", { className: "bad", textContent: `props_schema: ${schemaProblem}` }),
  );
};

/** @type {(text: string, pressed: boolean, act: () => void, title?: string) => HTMLButtonElement} */
const chip = (text, pressed, act, title = "") => {
  const made = element("button", { textContent: text, type: "button", title });
  made.setAttribute("aria-pressed", `${pressed}`);
  made.addEventListener("click", act);
  return made;
};

/** @type {(name: string, ...parts: HTMLElement[]) => HTMLElement} */
const group = (name, ...parts) => {
  const made = element(
    "div",
    {},
    element("span", { className: "quiet", textContent: name }),
    ...parts,
  );
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", name);
  return made;
};

/** @type {(act: () => void) => () => void} A tool's button: redrawn, it keeps the keyboard. */
const drawn = (act) => () => {
  act();
  const at = [...tools.querySelectorAll("button")].indexOf(
    /** @type {any} */ (document.activeElement),
  );
  drawTools();
  tools.querySelectorAll("button")[at]?.focus();
};

const drawTools = () => {
  const widths = [...WIDTHS, 0].map((px) =>
    chip(
      px ? `${px}` : "full",
      frames.width === px,
      drawn(() => {
        frames.width = px;
        frames.resize();
      }),
    ),
  );
  const nodes = told.nodes.map(({ id, name }) =>
    chip(
      name || id,
      !hidden.has(id),
      drawn(() => {
        if (hidden.has(id)) hidden.delete(id);
        else if (hidden.size < told.nodes.length - 1) hidden.add(id);
        frames.nodes(told.nodes.filter((node) => !hidden.has(node.id)));
      }),
    ),
  );
  const media = MEDIA_KINDS.map((kind) =>
    chip(
      kind,
      frames.media === kind,
      drawn(() => {
        frames.media = frames.media === kind ? "" : kind;
        frames.settle();
      }),
    ),
  );
  const scripts = chip(
    "no script",
    !frames.scripts,
    drawn(() => {
      frames.scripts = !frames.scripts;
      frames.nodes(frames.list);
    }),
  );
  tools.replaceChildren(
    group("Width", ...widths),
    ...(told.nodes.length > 1 ? [group("Nodes", ...nodes)] : []),
    states,
    group("As", ...media, scripts),
  );
  drawStates();
};

const drawStates = () => {
  const schema = resolved(component?.schema ?? {}, component?.schema ?? {});
  const props = Object.entries(schema.properties ?? {}).filter(
    ([name, part]) => STATE_PROPS.test(name) && kindOf(resolved(schema, part)) === "boolean",
  );
  const focused = states.contains(document.activeElement)
    ? document.activeElement?.textContent
    : "";
  states.replaceChildren(
    group(
      "State",
      ...STATES.map((state) =>
        chip(state, frames.state === state, () => {
          frames.state = frames.state === state ? "" : state;
          frames.settle();
          drawStates();
        }),
      ),
      ...props.map(([name]) =>
        chip(
          name,
          controls.props[name] === true,
          () => {
            controls.set([name], controls.props[name] !== true, true);
          },
          `the prop ${name}`,
        ),
      ),
    ),
  );
  for (const each of states.querySelectorAll("button"))
    if (focused && each.textContent === focused) each.focus();
};

const drawExamples = () => {
  const { examples: saved, uses: used, schema } = /** @type {Component} */ (component);
  const show = (/** @type {string} */ name, /** @type {any} */ props) => () => {
    source = name;
    controls.show(schema, structuredClone(props));
    drawExamples();
    drawStates();
    ask(0);
  };
  const chips = saved.map(({ name, title, description, props }) =>
    chip(title, source === name, show(name, props), description),
  );
  if (used[0])
    chips.push(chip("As on a page", source === "page", show("page", used[0].props), used[0].name));
  const bare = firstValue(schema, { type: "object", ...schema });
  chips.push(chip("From the schema", source === "schema", show("schema", bare)));
  const focused = examples.contains(document.activeElement)
    ? document.activeElement?.textContent
    : "";
  examples.replaceChildren(...chips);
  chips.find((each) => focused && each.textContent === focused)?.focus();
  saving.draw();
};

const drawUses = () => {
  const { uses: used } = /** @type {Component} */ (component);
  const rows = used.map(({ name, page, draft, block, zone, links }) =>
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
  const title = used.length
    ? `On ${new Set(used.map((each) => each.page)).size} pages`
    : "On no page";
  uses.replaceChildren(
    element("h2", { textContent: used.length === 1 ? "On 1 page" : title }),
    element("ul", {}, ...rows),
  );
};

// --- what a person does -------------------------------------------------------------------------

search.addEventListener("input", drawList);
search.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") list.querySelector("a")?.focus();
});
document.addEventListener("click", (event) => {
  const link = /** @type {HTMLElement} */ (event.target).closest?.("a");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  if (!plain || !link || link.target || link.origin !== location.origin) return;
  if (link.pathname !== HERE) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  drawList();
  load();
});
addEventListener("popstate", () => {
  drawList();
  load();
});
document.addEventListener("visibilitychange", listen);
listen();
