// Brings a prerendered page to life. Each block that needs it is a React root of its own, so that
// one that fails leaves the others alone. What to do stands in the page as inert JSON, a list of
// islands. `when` is load, idle or visible; `use` is the specifier of the component's module.
// `fresh`: the block showed the clock, randomness or the locale. What differs is put right.
// `anew`: browsers have other elements than React. It is rendered again, not hydrated.
// `fill`: its props with {{name|fallback}} still in them, to be filled from the URL's query as text.
// No block has it whose component may make HTML of a text.
// `still`: it has no state and no events. It is only rendered where the query fills a placeholder.

/**
 * @typedef {{
 *   id: string, use: string, props: object, when: string,
 *   fresh?: boolean, anew?: boolean, fill?: object, still?: boolean,
 * }} Island
 */

import { elementsOf, patch, propsOf, tolerating } from "./fresh.js";
import "./forms.js";
import { choose, leftAlone, retype, typedIn } from "./typed.js";

// A page that waits for stylesheets has the preloads of its modules here: this runs after those.
const preloads = document.head.querySelector("template#rb-preloads");
if (preloads instanceof HTMLTemplateElement) document.head.append(preloads.content);

const PLACEHOLDER = /\{\{\{\{|\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*(?:\|([^{}]*))?\}\}/g;
const query = new URLSearchParams(location.search);

/** @type {(text: string) => string} The site to which a text leads as an address, "" for none. */
const site = (text) => {
  try {
    const { protocol, origin } = new URL(text, location.href);
    return protocol + origin;
  } catch {
    return "";
  }
};

/** @type {(text: string, query: URLSearchParams) => string} */
const filledText = (text, query) =>
  text.replace(PLACEHOLDER, (_, name, fallback = "") =>
    name ? query.get(name) || fallback.trim() : "{{",
  );

/** @type {(value: any) => any} A value with its placeholders filled. */
const filled = (value) => {
  if (typeof value === "string") {
    const text = filledText(value, query);
    if (text === value) return text;
    // A visitor's text may be anything but the address of another site, or a script as an address.
    const usual = filledText(value, new URLSearchParams());
    return site(text) === site(usual) ? text : usual;
  }
  if (Array.isArray(value)) return value.map(filled);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner)]));
};

/** @type {(value: object) => boolean} Whether the URL's query fills a placeholder of it. */
const asksFor = (value) => {
  if (query.size === 0) return false;
  for (const [, name] of JSON.stringify(value).matchAll(PLACEHOLDER))
    if (name && query.get(name)) return true;
  return false;
};

// React is fetched by the first block that needs it, not by the page.
// Its module is all of React: react-dom's names, too.
/** @type {Promise<any> | undefined} */
let react;
const loadReact = () => (react ??= import("react"));

// For `robbieblocks dev`, which alters an open page: each island by its id, and what React made of it;
// null where that failed.
/** @type {Map<string, Island>} */
export const islands = new Map();
/** @type {Map<string, any>} */
export const roots = new Map();

/** @type {() => HTMLElement} What stands where a block failed that had no content. */
const failed = () => {
  const paragraph = document.createElement("p");
  paragraph.className = "rb-failed";
  paragraph.textContent = "This part of the page can’t be shown.";
  return paragraph;
};

/** @type {(island: Island, element: HTMLElement) => Promise<void>} Hydrate or render a block. */
export const start = async (island, element) => {
  // A copy in a document in which nothing is loaded or run.
  const inert = document.createElement("template").content.ownerDocument;
  const prerendered = inert.importNode(element, true);
  let reported = false;
  const report = (/** @type {string} */ what, /** @type {unknown} */ error) => {
    if (reported) return;
    reported = true;
    console.error(`RobbieBlocks: block ${island.id} (${island.use}) ${what}`, error);
  };
  const asked = island.fill !== undefined && asksFor(island.fill);
  if (island.still && !asked) return;
  try {
    const [React, { default: Component }] = await Promise.all([loadReact(), import(island.use)]);
    const { createElement, createRoot, flushSync, hydrateRoot } = React;
    const typed = typedIn(element);
    /** @type {any} */
    let root;
    const options = {
      identifierPrefix: `${island.id}-`,
      onUncaughtError(/** @type {unknown} */ error) {
        report("failed; its prerendered content is shown instead", error);
        roots.set(island.id, null);
        queueMicrotask(() => {
          root.unmount();
          element.replaceChildren(
            ...(prerendered.hasChildNodes() ? prerendered.childNodes : [failed()]),
          );
        });
      },
      onCaughtError(/** @type {unknown} */ error) {
        report("caught an error", error);
      },
      onRecoverableError(/** @type {unknown} */ error) {
        // Of one that is fresh this is no mistake: its elements differ.
        if (!island.fresh)
          report("differs from its prerendered content and was rendered anew", error);
        retype(element, typed);
      },
    };
    const props = asked ? filled(island.fill) : island.props;
    root = roots.get(island.id);
    if (root) root.render(createElement(Component, props));
    else if (island.anew || island.still) {
      root = createRoot(element, options);
      flushSync(() => root.render(createElement(Component, props)));
      retype(element, typed);
    } else {
      // A root must not be updated before it is hydrated, so its first effect fills the props.
      const Filled = () => {
        const [props, setProps] = React.useState(island.props);
        React.useLayoutEffect(() => setProps(filled(island.fill)), []);
        return createElement(Component, props);
      };
      // What was typed before is told to the block once it lives.
      const Told = () => {
        React.useEffect(() => retype(element, typed), []);
        return block();
      };
      const block = () => (asked ? createElement(Filled) : createElement(Component, props));
      const child = typed.some((each) => each.touched) ? createElement(Told) : block();
      const hydrate = () => {
        root = hydrateRoot(element, child, options);
      };
      if (island.fresh) {
        const before = elementsOf(element);
        const untouched = leftAlone(typed);
        tolerating(() => flushSync(hydrate));
        patch(element, before, React);
        choose(element, untouched, propsOf);
      } else hydrate();
    }
    roots.set(island.id, root);
  } catch (error) {
    roots.set(island.id, null);
    report("could not be loaded", error);
  }
};

/** @param {HTMLElement} element */
const shown = (element) => getComputedStyle(element).display !== "none";

/** @param {() => void} task */
const whenIdle = (task) =>
  // An element with this id makes `in window` true where the browser has no such function.
  typeof requestIdleCallback === "function"
    ? requestIdleCallback(task, { timeout: 2000 })
    : setTimeout(task, 200);

/** @type {(element: HTMLElement, task: () => void) => void} */
const whenVisible = (element, task) => {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      task();
    },
    { rootMargin: "200px" },
  );
  observer.observe(element);
};

/** @type {(island: Island, element: HTMLElement) => void} Start a block when its island says so. */
const schedule = (island, element) => {
  const task = () => start(island, element);
  if (island.when === "visible") whenVisible(element, task);
  else if (island.when === "idle") whenIdle(task);
  else task();
};

// A condition on the viewport may hide a block: it is not started before it shows.
/** @type {[Island, HTMLElement][]} */
let hidden = [];
const reveal = () => {
  const waiting = hidden;
  hidden = [];
  for (const [island, element] of waiting) {
    if (shown(element)) schedule(island, element);
    else hidden.push([island, element]);
  }
  if (hidden.length === 0) removeEventListener("resize", reveal);
};

const data = document.getElementById("rb-islands");
for (const island of data ? JSON.parse(data.textContent) : []) {
  const element = document.getElementById(island.id);
  islands.set(island.id, island);
  if (element) hidden.push([island, element]);
}
addEventListener("resize", reveal);
reveal();
