// Brings a prerendered page to life: each block that needs it is a React root of its own, so that
// one that fails leaves the others alone. What to do stands in the page as inert JSON:
//
//   [{ id, use: module specifier, props, when: load|idle|visible, fresh?, fill?, still? }]
//
// `fresh`: it showed the clock, randomness or the locale; it is rendered anew, not hydrated.
// `fill`: its props with {{name|fallback}} still in them, to be filled from the URL's query as text.
// `still`: it has no state nor events; it is only rendered where the query names a placeholder.

const PLACEHOLDER = /\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*(?:\|([^{}]*))?\}\}/g;
const query = new URLSearchParams(location.search);

const filled = (value) => {
  if (typeof value === "string") {
    return value.replace(PLACEHOLDER, (_, name, fallback = "") => query.get(name) || fallback.trim());
  }
  if (Array.isArray(value)) return value.map(filled);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner)]));
};

const asksFor = (value) => {
  if (query.size === 0) return false;
  for (const [, name] of JSON.stringify(value).matchAll(PLACEHOLDER)) if (query.get(name)) return true;
  return false;
};

// React is fetched by the first block that needs it, not by the page.
let react;
const loadReact = () => (react ??= Promise.all([import("react"), import("react-dom/client")]));

const start = async (island, element) => {
  const prerendered = element.innerHTML;
  let reported = false;
  const report = (what, error) => {
    if (reported) return;
    reported = true;
    console.error(`RobbieBlocks: block ${island.id} (${island.use}) ${what}`, error);
  };
  const asked = island.fill !== undefined && asksFor(island.fill);
  if (island.still && !asked) return;
  try {
    const [[{ createElement, useLayoutEffect, useState }, { createRoot, hydrateRoot }], { default: Component }] =
      await Promise.all([loadReact(), import(island.use)]);
    let root;
    const options = {
      identifierPrefix: `${island.id}-`,
      onUncaughtError(error) {
        report("failed; its prerendered content is shown instead", error);
        queueMicrotask(() => {
          root.unmount();
          element.innerHTML = prerendered || '<p class="rb-failed">This part of the page can’t be shown.</p>';
        });
      },
      onCaughtError(error) {
        report("caught an error", error);
      },
      onRecoverableError(error) {
        report("differs from its prerendered content and was rendered anew", error);
      },
    };
    if (island.fresh || island.still) {
      root = createRoot(element, options);
      root.render(createElement(Component, asked ? filled(island.fill) : island.props));
    } else {
      // A root must not be updated before it is hydrated, so the filling is its own first effect.
      const Filled = () => {
        const [props, setProps] = useState(island.props);
        useLayoutEffect(() => setProps(filled(island.fill)), []);
        return createElement(Component, props);
      };
      const child = asked ? createElement(Filled) : createElement(Component, island.props);
      root = hydrateRoot(element, child, options);
    }
  } catch (error) {
    report("could not be loaded", error);
  }
};

const shown = (element) => getComputedStyle(element).display !== "none";

const whenIdle = (task) =>
  "requestIdleCallback" in window ? requestIdleCallback(task, { timeout: 2000 }) : setTimeout(task, 200);

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

const schedule = (island, element) => {
  const task = () => start(island, element);
  if (island.when === "visible") whenVisible(element, task);
  else if (island.when === "idle") whenIdle(task);
  else task();
};

// A condition on the viewport may hide a block: it is not started before it shows.
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
  if (element) hidden.push([island, element]);
}
addEventListener("resize", reveal);
reveal();
