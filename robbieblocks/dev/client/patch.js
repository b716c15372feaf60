// Alters the open page from one version to the next, and leaves what has not changed alone.

/**
 * @typedef {import("../../bundle/runtime/islands.js").Island} Island
 * @typedef {typeof import("../../bundle/runtime/islands.js")} Runtime
 */

const BLOCK = ".rb-block";
const COMPONENTS = "@robbieblocks/";
// What can't be exchanged while the page is open: its scripts, and styles that its policy names by hash.
const FIXED = "style, script:not([type='importmap'], [type='application/ld+json'], [data-rb-dev])";
const SWAPPED =
  "title, meta:not([charset], [http-equiv]), link:not([rel='preload'][as='script']), " +
  "script[type='application/ld+json']";

/** @type {(page: Document | Element, selector: string) => string[]} */
const texts = (page, selector) =>
  [...page.querySelectorAll(selector)].map((element) => element.outerHTML);

/** @type {(page: Document) => string} The page's policy without its scripts, which are FIXED. */
const policy = (page) => {
  const meta = page.querySelector("meta[http-equiv='Content-Security-Policy']");
  return (meta?.getAttribute("content") ?? "").replace(/script-src [^;]*/, "");
};

/** @type {(page: Document) => Record<string, string>} The URL of each module. */
const modules = (page) =>
  JSON.parse(page.querySelector("script[type='importmap']")?.textContent || "{}").imports ?? {};

/** @type {(page: Document) => Map<string, Island>} */
const islandsOf = (page) => {
  const data = page.getElementById("rb-islands");
  /** @type {Island[]} */
  const listed = data ? JSON.parse(data.textContent) : [];
  return new Map(listed.map((island) => [island.id, island]));
};

/** @type {(page: Document) => HTMLElement[]} The page's blocks; none that a component shows. */
const blocksOf = (page) =>
  /** @type {HTMLElement[]} */ ([...page.querySelectorAll(BLOCK)]).filter(
    (block) => !block.parentElement?.closest(BLOCK),
  );

/** @type {(page: Document) => string} All that stands around the blocks. */
const skeleton = (page) => {
  const copy = /** @type {Document} */ (page.cloneNode(true));
  for (const block of blocksOf(copy)) block.replaceWith(`\0${block.id}\0`);
  copy.getElementById("rb-islands")?.remove();
  const { lang, dir, dataset } = copy.documentElement;
  return [lang, dir, dataset.rbLayout, copy.body.outerHTML].join("\0");
};

/** @type {(before: Document, after: Document) => boolean} Whether only what can be swapped differs. */
const isPatchable = (before, after) => {
  // The open page resolves packages as it did when it was loaded.
  const [loaded, wanted] = [modules(document), modules(after)];
  const packages = Object.keys(wanted).filter((name) => !name.startsWith(COMPONENTS));
  return (
    skeleton(before) === skeleton(after) &&
    policy(before) === policy(after) &&
    texts(before.head, FIXED).join() === texts(after.head, FIXED).join() &&
    packages.every((name) => loaded[name] === wanted[name])
  );
};

/** @type {(link: Element) => Promise<unknown>} */
const loaded = (link) =>
  new Promise((done) => {
    link.addEventListener("load", done);
    link.addEventListener("error", done);
  });

/** @type {(after: Document) => Promise<void>} Exchange what differs in the head. */
const swapHead = async (after) => {
  const there = [...document.head.querySelectorAll(SWAPPED)];
  const kept = new Set();
  const waits = [];
  /** @type {Element | null} */
  let last = null;
  for (const element of after.head.querySelectorAll(SWAPPED)) {
    const html = element.outerHTML;
    let here = there.find((each) => !kept.has(each) && each.outerHTML === html);
    if (!here) {
      here = document.importNode(element, true);
      if (element.matches("link[rel='stylesheet']")) waits.push(loaded(here));
      if (last) last.after(here);
      else document.head.prepend(here);
    }
    kept.add(here);
    last = here;
  }
  // An old style goes when the new one is there, so that nothing is ever shown bare.
  await Promise.all(waits);
  for (const each of there) if (!kept.has(each)) each.remove();
};

/** @type {() => Promise<Runtime | null>} The page's own script, this very instance of it, if any. */
const runtime = async () => {
  const script = document.querySelector("script[type='module'][src^='/_rb/']");
  return script ? import(/** @type {HTMLScriptElement} */ (script).src) : null;
};

/**
 * Show a block as it is now: one that is alive is rendered where it is.
 * @type {(element: HTMLElement, html: string, island: Island | undefined) => Promise<void>}
 */
const showBlock = async (element, html, island) => {
  const page = await runtime();
  const known = page?.islands.get(element.id);
  const root = page?.roots.get(element.id);
  if (island && !island.still && root) {
    page?.islands.set(element.id, island);
    await page?.start(island, element);
    return;
  }
  root?.unmount();
  page?.roots.delete(element.id);
  element.innerHTML = html;
  if (!island) return;
  const waits = known && !known.still && root === undefined;
  if (waits) {
    // Its turn has not come yet: it will find itself as it is now.
    for (const name of Object.keys(known)) delete (/** @type {any} */ (known)[name]);
    Object.assign(known, island);
  } else {
    page?.islands.set(element.id, island);
    await page?.start(island, element);
  }
};

/** @type {(before: Document, after: Document) => Promise<boolean>} False where a reload is needed. */
export const patch = async (before, after) => {
  if (!isPatchable(before, after)) return false;
  const [wasIslands, islands] = [islandsOf(before), islandsOf(after)];
  const [wasModules, urls] = [modules(before), modules(after)];
  const wasBlocks = new Map(blocksOf(before).map((block) => [block.id, block.innerHTML]));
  await swapHead(after);
  document.documentElement.dataset.theme = after.documentElement.dataset.theme;
  for (const block of blocksOf(after)) {
    const here = document.getElementById(block.id);
    const [island, was] = [islands.get(block.id), wasIslands.get(block.id)];
    const same =
      wasBlocks.get(block.id) === block.innerHTML &&
      JSON.stringify(was) === JSON.stringify(island) &&
      (!island || wasModules[island.use] === urls[island.use]);
    if (!here) return false;
    here.dataset.rbComponent = block.dataset.rbComponent;
    if (!same) {
      const now = island && { ...island, use: urls[island.use] ?? island.use };
      await showBlock(here, block.innerHTML, now);
    }
  }
  return true;
};
