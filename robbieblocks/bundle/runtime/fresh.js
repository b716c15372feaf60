// Hydrates a block that shows something else than it did when it was prerendered: another time, another
// random number, another language. React takes over the elements as they are; texts and attributes that
// differ are put right, and nothing that a visitor has typed is lost.
//
// React keeps on its nodes what they should show: `memoizedProps` of a text's fiber, and an element's
// props. These are no public API; the toolchain's lock file pins React, and tests notice.

import { isWrittenIn } from "./editable.js";

/** @typedef {{element: Element, attributes: Map<string, string>, html: string}} Before */

// React sets these as properties, or writes them for the parser alone; `open` a visitor changes.
const ITS_OWN = new Set("value checked selected autofocus muted action formaction open".split(" "));
// React moves these into the head, wherever they stand.
const HOISTED = new Set("link meta script style title".split(" "));

/** @type {(hydrate: () => void) => void} While it hydrates, React takes texts that differ. */
export const tolerating = (hydrate) => {
  const name = "suppressHydrationWarning";
  // Props inherit it: so React finds it on every element, and code that lists props does not.
  Object.defineProperty(Object.prototype, name, {
    value: true,
    writable: true,
    configurable: true,
  });
  try {
    hydrate();
  } finally {
    delete (/** @type {any} */ (Object.prototype)[name]);
  }
};

/** @type {(node: any, start: string) => any} What React keeps on a node. */
const kept = (node, start) => {
  for (const name in node) if (name.startsWith(start)) return node[name];
  return undefined;
};

/** @type {(element: Element) => any} */
export const propsOf = (element) => kept(element, "__reactProps$");

/** @type {(root: Element) => Before[]} The elements of a block as they were prerendered. */
export const elementsOf = (root) =>
  [...root.querySelectorAll("*")].map((element) => ({
    element,
    attributes: new Map([...element.attributes].map((each) => [each.name, each.value])),
    html: element.innerHTML,
  }));

/** @type {(value: unknown) => boolean} */
const isText = (value) => typeof value === "string" || typeof value === "number";

/** @type {(root: Element) => void} */
const patchTexts = (root) => {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement } = walker.currentNode;
    if (parentElement && isWrittenIn(parentElement)) continue;
    const text = kept(walker.currentNode, "__reactFiber$")?.memoizedProps;
    if (typeof text === "string" && walker.currentNode.nodeValue !== text)
      walker.currentNode.nodeValue = text;
  }
};

/** @type {(element: Element, props: any, before: Before) => void} */
const patchContent = (element, props, before) => {
  if (isWrittenIn(element)) return;
  const { children } = props;
  const html = props.dangerouslySetInnerHTML?.__html;
  if (isText(children) && element.localName !== "textarea") {
    if (element.textContent !== String(children)) element.textContent = String(children);
  } else if (isText(html) && element.innerHTML === before.html) {
    const meant = document.implementation.createHTMLDocument("").createElement(element.localName);
    meant.innerHTML = String(html);
    if (meant.innerHTML !== before.html) element.innerHTML = String(html);
  }
};

/** @type {(element: Element, meant: Element, before: Before) => void} */
const patchAttributes = (element, meant, before) => {
  for (const name of new Set([...before.attributes.keys(), ...meant.getAttributeNames()])) {
    const was = before.attributes.get(name) ?? null;
    const value = meant.getAttribute(name);
    // What an effect has changed since then stays.
    if (value === was || ITS_OWN.has(name) || element.getAttribute(name) !== was) continue;
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
};

/** @type {(props: any) => any} The props that are attributes. */
const attributesOf = (props) =>
  Object.fromEntries(
    Object.entries(props).filter(
      ([name, value]) =>
        typeof value !== "function" &&
        !["children", "dangerouslySetInnerHTML", "ref", "key"].includes(name),
    ),
  );

/**
 * Put right what differs in a block that was just hydrated.
 * @type {(root: Element, before: Before[], react: any) => void}
 */
export const patch = (root, before, { createElement, createRoot, flushSync }) => {
  patchTexts(root);
  const hydrated = before
    .map((each) => ({ each, props: propsOf(each.element) }))
    .filter(({ each, props }) => props && root.contains(each.element));
  for (const { each, props } of hydrated) patchContent(each.element, props, each);
  // React itself says which attributes it would set: on elements that nobody sees, and that load nothing.
  const own = hydrated.filter(({ each }) => !HOISTED.has(each.element.localName));
  const { body } = document.implementation.createHTMLDocument("");
  const scratch = createRoot(body);
  flushSync(() => {
    scratch.render(
      own.map(({ each, props }, key) => {
        const made = createElement(each.element.localName, attributesOf(props));
        const svg = each.element.namespaceURI?.endsWith("/svg") && each.element.localName !== "svg";
        return createElement(svg ? "svg" : "div", { key }, made);
      }),
    );
  });
  own.forEach(({ each }, at) => {
    const meant = body.children[at]?.firstElementChild;
    if (meant) patchAttributes(each.element, meant, each);
  });
  scratch.unmount();
};
