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

// Each module is asked for once, by the first block that needs it: of several calls of import() browsers
// may answer a later one first, and a lower block would come to life before one above it.
/** @type {Map<string, Promise<any>>} */
const modules = new Map();
/** @type {(specifier: string) => Promise<any>} A module; of React's, react-dom's names are in it, too. */
const load = (specifier) => {
  const module = modules.get(specifier) ?? import(specifier);
  modules.set(specifier, module);
  return module;
};

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

/**
 * @type {(element: HTMLElement) => boolean}
 * Whether the visitor has done something to its controls already; of some it may say so that nobody
 * touched: restore.js knows, which is loaded then.
 */
const seemsTouched = (element) =>
  element.querySelector("[contenteditable]") !== null ||
  [...element.querySelectorAll("input,textarea,select")].some((/** @type {any} */ control) => {
    if (control === document.activeElement) return true;
    const options = [...(control.options ?? [])];
    if (options.some((each) => each.defaultSelected))
      return options.some((each) => each.selected !== each.defaultSelected);
    if (control.options)
      return control.selectedIndex >= (control.type !== "select-one" || control.size > 1 ? 0 : 1);
    return control.value !== control.defaultValue || control.checked !== control.defaultChecked;
  });

/** @type {() => Promise<any>} Where it can't be loaded, the block lives without what was done before. */
const restoring = () => import("robbieblocks/restore").catch(() => undefined);

/**
 * @type {(element: HTMLElement) => Event[]}
 * What visitors pressed in it so far: a script of the page has kept it (`KEEP_PRESSES` of head.py).
 */
const pressedIn = (element) => {
  /** @type {any} */
  const page = window;
  return (page.rbPressed ?? []).filter((/** @type {any} */ { target }) => element.contains(target));
};

/** @type {() => Promise<unknown>} Let the browser draw and answer: what comes after is another task. */
const pause = () =>
  new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(port1.close());
    port2.postMessage(0);
  });

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
  try {
    const asked =
      island.fill && location.search
        ? (await import("robbieblocks/fill")).filledProps(island.fill)
        : undefined;
    if (island.still && !asked) return;
    let [React, { default: Component }, restore] = await Promise.all([
      load("react"),
      load(island.use),
      island.fresh
        ? import("robbieblocks/restore")
        : island.anew || asked
          ? restoring()
          : undefined,
    ]);
    await pause();
    if (!restore && seemsTouched(element)) restore = await restoring();
    const { createElement, createRoot, flushSync, hydrateRoot } = React;
    const before = restore?.doneIn(element);
    // Whether a visitor wrote into an element of it, which then differs from what React makes.
    let wrote = false;
    const doAgain = () => {
      wrote = restore?.doAgain(element, before) || wrote;
    };
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
        doAgain();
        // Of one that is fresh this is no mistake: its elements differ.
        if (!island.fresh && !wrote)
          report("differs from its prerendered content and was rendered anew", error);
      },
    };
    const block = createElement(Component, asked ?? island.props);
    root = roots.get(island.id);
    if (root) root.render(block);
    else if (island.anew || island.still || asked) {
      // Filled props are another beginning: state that is made of them has to be made now.
      root = createRoot(element, options);
      flushSync(() => root.render(block));
      doAgain();
    } else {
      // What was typed before is told to the block once it lives.
      const Hydrated = () => {
        React.useEffect(doAgain, []);
        return block;
      };
      const isAltered = before?.typed.some((/** @type {any} */ each) => each.touched);
      const hydrate = () => {
        root = hydrateRoot(element, isAltered ? createElement(Hydrated) : block, options);
      };
      if (island.fresh && restore) restore.hydrateFresh(element, before, hydrate, React);
      // In a transition React lets the browser answer between the parts of a large block. What the
      // visitor does to it meanwhile brings it to life at once.
      else React.startTransition(hydrate);
    }
    const early = roots.has(island.id) ? [] : pressedIn(element);
    roots.set(island.id, root);
    if (early.length > 0)
      await (await import("robbieblocks/presses")).pressAgain(element, early, pause);
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

/** @type {(task: () => void) => void} Once the page is painted: what is fetched or run before delays that. */
const whenPainted = (task) => {
  // A page that nobody sees is not painted.
  const isPainted = performance.getEntriesByName("first-contentful-paint").length > 0;
  if (document.hidden || isPainted) task();
  else requestAnimationFrame(() => requestAnimationFrame(task));
};

whenPainted(() => {
  // What its blocks' modules import, unless a script of the page has asked for it.
  const preloads = document.head.querySelector("template#rb-preloads");
  if (preloads instanceof HTMLTemplateElement) document.head.append(preloads.content);
  addEventListener("resize", reveal);
  reveal();
});
