// Keeps what a visitor has focused, selected, scrolled, opened and started in a block whose elements are
// made anew: the element that came in the place of each gets it. What has no such element is gone.

/** @typedef {{ kind: string, at: number, element: Element }} Place */
/** @typedef {{ place: Place, text: Text, offset: number }} Point */
/**
 * @typedef {{
 *   focused: Place | null, selected: [Point, Point] | null,
 *   kept: [Place, (element: any) => void][],
 * }} Seen
 */

/** @type {(element: Element) => string} What an element has in common with the one in its place. */
const kindOf = (element) =>
  `${element.localName} ${element.id} ${element.getAttribute("name") ?? ""}`;

/** @type {(root: Element, kind: string) => Element[]} */
const ofKind = (root, kind) =>
  [...root.querySelectorAll(kind.split(" ", 1)[0])].filter((each) => kindOf(each) === kind);

/** @type {(root: Element, element: Element) => Place} */
const placeOf = (root, element) => {
  const kind = kindOf(element);
  return { kind, at: ofKind(root, kind).indexOf(element), element };
};

/** @type {(root: Element, place: Place) => Element | undefined} The new element, where it is another one. */
const elementAt = (root, { kind, at, element }) =>
  root.contains(element) ? undefined : ofKind(root, kind)[at];

/** @type {(element: Element) => Text[]} */
const textsOf = (element) =>
  [...element.childNodes].filter((each) => each instanceof Text).filter(({ data }) => data !== "");

/** @type {(root: Element, node: Node | null, offset: number) => Point | null} */
const pointOf = (root, node, offset) => {
  const parent = node?.parentElement;
  if (!(node instanceof Text) || !parent || parent === root || !root.contains(parent)) return null;
  return { place: placeOf(root, parent), text: node, offset };
};

/** @type {(root: Element, point: Point) => [Text, number] | undefined} The same words in the new element. */
const pointIn = (root, { place, text, offset }) => {
  const parent = elementAt(root, place);
  const same = parent && textsOf(parent).find((each) => each.data === text.data);
  return same && [same, offset];
};

/** @type {(element: any) => ((element: any) => void)[]} What was done with one element, to be done again. */
const doneWith = (element) => {
  const done = [];
  if (element.scrollTop !== 0 || element.scrollLeft !== 0) {
    const { scrollTop: top, scrollLeft: left } = element;
    done.push((/** @type {any} */ it) => it.scrollTo({ top, left, behavior: "instant" }));
  }
  if (element.popover && element.matches(":popover-open"))
    done.push((/** @type {any} */ it) => it.showPopover?.());
  if (element.localName === "dialog" && element.open) {
    const isModal = element.matches(":modal");
    done.push((/** @type {any} */ it) => it.open || (isModal ? it.showModal() : it.show()));
  }
  if (element instanceof HTMLMediaElement && (element.currentTime > 0 || !element.paused)) {
    const { currentTime, paused, muted, volume } = element;
    done.push((/** @type {any} */ it) => {
      Object.assign(it, { currentTime, muted, volume });
      if (!paused) it.play().catch(() => undefined);
    });
  }
  return done;
};

/** @type {(root: Element) => Seen} */
export const seenIn = (root) => {
  const { activeElement } = document;
  // A dialog closes popovers when it opens.
  const dialogsFirst = [
    ...root.querySelectorAll("dialog"),
    ...root.querySelectorAll(":not(dialog)"),
  ];
  const selection = document.getSelection();
  const from = selection && pointOf(root, selection.anchorNode, selection.anchorOffset);
  const to = selection && pointOf(root, selection.focusNode, selection.focusOffset);
  return {
    focused:
      activeElement && activeElement !== root && root.contains(activeElement)
        ? placeOf(root, activeElement)
        : null,
    selected: from && to && !selection.isCollapsed ? [from, to] : null,
    kept: dialogsFirst.flatMap((element) =>
      doneWith(element).map(
        (again) => /** @type {[Place, (element: any) => void]} */ ([placeOf(root, element), again]),
      ),
    ),
  };
};

/** @type {(root: Element, seen: Seen) => void} Once: the visitor goes on meanwhile. */
export const seeAgain = (root, seen) => {
  const { focused, selected, kept } = seen;
  Object.assign(seen, { focused: null, selected: null, kept: [] });
  for (const [place, again] of kept) {
    const element = elementAt(root, place);
    if (element) again(element);
  }
  const [from, to] = (selected ?? []).map((each) => pointIn(root, each));
  if (from && to) document.getSelection()?.setBaseAndExtent(...from, ...to);
  const element = focused && elementAt(root, focused);
  if (element instanceof HTMLElement || element instanceof SVGElement)
    element.focus({ preventScroll: true });
};
