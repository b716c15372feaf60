// `createPortal` of react-dom, as components import it. What it shows elsewhere in the page gets its
// block's styles: they hold inside of an element that names the block's components.

// The file of React has the names of its DOM, too.
import { createElement, createPortal as portal, useId } from "react";

const BLOCK = "[data-rb-component]";

/** @param {{ children: unknown }} props */
const Styled = ({ children }) => {
  // React's ids begin with the id of the block.
  const id = /(?:f\d+)?b-?\d+(?=-)/.exec(useId())?.[0];
  const block = id && document.getElementById(id);
  if (!block) return children;
  const { rbComponent, rbBase } = block.dataset;
  const names = { "data-rb-component": rbComponent, "data-rb-base": rbBase };
  return createElement("div", { ...names, style: { display: "contents" } }, children);
};

/** @type {(container: any) => boolean} Whether a `div` may stand in it, outside of any block. */
const isOutside = (container) =>
  container instanceof HTMLElement &&
  document.body.contains(container) &&
  !container.closest(BLOCK) &&
  !/^(table|thead|tbody|tfoot|tr|colgroup|select|optgroup|p|h[1-6])$/i.test(container.localName);

/** @type {(children: unknown, container: any, key?: string | null) => unknown} */
export const createPortal = (children, container, key) =>
  portal(isOutside(container) ? createElement(Styled, null, children) : children, container, key);
