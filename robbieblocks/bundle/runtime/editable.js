// Keeps what a visitor wrote into an element with `contenteditable`, and where the caret stood. Of such
// an element nobody knows what it said before, so it is compared with what React makes in its place.

/** @typedef {[path: number[], offset: number]} Place */
/** @typedef {{ copy: Element, html: string, places: [Place, Place] | null }} Written */

const EDITABLE = "[contenteditable]:not([contenteditable=false i])";

/** @type {(element: Element) => boolean} */
export const isEditable = (element) => element.matches(EDITABLE);

/** @type {(element: Element) => boolean} Whether what stands in it is the visitor's. */
export const isWrittenIn = (element) => element.closest(EDITABLE) !== null;

// React writes a comment between two texts.
/** @type {(node: Node) => Node[]} */
const childrenOf = (node) =>
  [...node.childNodes].filter((each) => each.nodeType !== Node.COMMENT_NODE);

/** @type {(node: Node) => void} */
const removeComments = (node) => {
  const children = childrenOf(node);
  for (const each of [...node.childNodes])
    if (!children.includes(/** @type {ChildNode} */ (each))) each.remove();
  children.forEach(removeComments);
};

/** @type {(element: Element) => Element} */
const copyOf = (element) => {
  const copy = /** @type {Element} */ (element.cloneNode(true));
  removeComments(copy);
  return copy;
};

/** @type {(copy: Element) => string} */
const htmlOf = (copy) => {
  const whole = /** @type {Element} */ (copy.cloneNode(true));
  whole.normalize();
  return whole.innerHTML;
};

/** @type {(element: Element, node: Node | null, offset: number) => Place | null} */
const placeOf = (element, node, offset) => {
  if (node === null || !element.contains(node)) return null;
  /** @type {number[]} */
  const path = [];
  // In an element the offset counts its children.
  const before = [...node.childNodes].slice(0, offset);
  const at = node.nodeType === Node.TEXT_NODE ? offset : before.length;
  for (let inner = node; inner !== element && inner.parentNode; inner = inner.parentNode)
    path.unshift(childrenOf(inner.parentNode).indexOf(inner));
  return [path, at];
};

/** @type {(element: Element) => Written} What stands in an element now. */
export const writtenIn = (element) => {
  const copy = copyOf(element);
  const selection = element === document.activeElement ? document.getSelection() : null;
  const from = selection && placeOf(element, selection.anchorNode, selection.anchorOffset);
  const to = selection && placeOf(element, selection.focusNode, selection.focusOffset);
  return { copy, html: htmlOf(copy), places: from && to ? [from, to] : null };
};

/** @type {(element: Element, place: Place) => [Node, number]} */
const pointAt = (element, [path, offset]) => {
  /** @type {Node} */
  let node = element;
  for (const at of path) node = node.childNodes[at] ?? node;
  const length = node.nodeType === Node.TEXT_NODE ? node.nodeValue?.length : node.childNodes.length;
  return [node, Math.min(offset, length ?? 0)];
};

/**
 * Put what was written into the element that came instead, and tell its handlers. Gives whether it
 * said something else.
 * @type {(element: HTMLElement, written: Written) => boolean}
 */
export const rewrite = (element, { copy, html, places }) => {
  const isOther = htmlOf(copyOf(element)) !== html;
  if (isOther) {
    element.replaceChildren(...copy.cloneNode(true).childNodes);
    element.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (places !== null) {
    element.focus({ preventScroll: true });
    const [from, to] = places.map((each) => pointAt(element, each));
    document.getSelection()?.setBaseAndExtent(from[0], from[1], to[0], to[1]);
  }
  return isOther;
};
