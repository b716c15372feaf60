// Renders blocks, and makes the functions that the child process calls. No component can reach them.

import { classWords } from "./class_words.js";
import { failure, messageOf } from "./failure.js";
import { withoutHints } from "./hints.js";
import { block, freeze, parse, realNow, resetBlock, server, stringify } from "./host.js";
import { proveHtml, withoutRaw } from "./html_proof.js";
import { expectModules, requireFor } from "./modules.js";
import { unguardedReact, watchedReact } from "./react.js";
import { reseed } from "./varying.js";

// These are in protocol.py as well.
const INTERACTIVE = 1;
const RERENDER = 2;
const PROVEN = 4;
const LEFT_OUT = 8;

/**
 * @typedef {[html: string, flags: number, classes: string, later: string, hints: string,
 *   nesting: string, controls: string] | [html: null, failure: import("./failure.js").Failure]} Result
 */

const SLICE_MS = 250;
const MAX_HTML_CHARS = 4_000_000;
// React's errors for something that is waited for (react.dev/errors).
const WAITS = /error #(426|460);/;

const asyncError = () => new Error(`${block.asyncReason}; React runs those on servers only`);

/**
 * The HTML of a component, given its specifier, props as JSON, the prefix of ids, and what it imports
 * as "react".
 * @type {(component: string, props: string, prefix: string, react: any) => string}
 */
const renderTree = (component, props, prefix, react) => {
  reseed();
  const Component = requireFor(react)(component).default;
  if (Component === undefined || Component === null) {
    throw new TypeError("the module exports no component");
  }
  const element = watchedReact.createElement(Component, parse(props));
  const html = server.renderToString(element, { identifierPrefix: prefix });
  if (block.asyncReason) throw asyncError();
  if (html.length > MAX_HTML_CHARS) {
    throw new RangeError(
      `the HTML is ${html.length} characters long; a block may have ${MAX_HTML_CHARS}`,
    );
  }
  return html;
};

/**
 * Handle a Suspense boundary that shows its fallback. That is right where something is waited for,
 * which the browser then does; where a component threw, this throws the error.
 * @type {(component: string, props: string, prefix: string) => void}
 */
const checkFallback = (component, props, prefix) => {
  try {
    renderTree(component, props, prefix, unguardedReact);
  } catch (error) {
    if (block.asyncReason || !WAITS.test(messageOf(error))) throw error;
  }
  block.interactive = true;
  block.rerender = true;
};

/** @type {(component: string, props: string, prefix: string) => Result} */
const renderBlock = (component, props, prefix) => {
  resetBlock();
  try {
    const made = withoutHints(renderTree(component, props, prefix, watchedReact));
    let html = made.html;
    if (html.includes("<!--$!-->")) checkFallback(component, props, prefix);
    // Text that isn't well-formed UTF-16 has no UTF-8; HTML has no NUL. React's own text has both.
    const sent = html.toWellFormed().replaceAll("\0", "\uFFFD");
    if (sent !== html && block.interactive) block.rerender = true;
    html = sent;
    const lives = block.interactive || block.rerender;
    const { stays, nested } = proveHtml(html, lives);
    const proven = stays && nested;
    const { classes, later, leftOut } = classWords(html, lives ? parse(props) : null);
    const flags =
      (block.interactive ? INTERACTIVE : 0) |
      (block.rerender ? RERENDER : 0) |
      (proven ? PROVEN : 0) |
      (leftOut ? LEFT_OUT : 0);
    const nesting = proven ? "" : withoutRaw(html);
    return [html, flags, classes, later, made.hints, nesting, ""];
  } catch (error) {
    return [null, failure(block.asyncReason ? asyncError() : error)];
  }
};

/** @type {Result[]} */
let results = [];

/** What the script gives to the child process. */
export const harness = freeze({
  /** Let `__rbDefine` define modules, or not. */
  expect: expectModules,
  /**
   * Render jobs until all are done or a time slice is over. Gives their number, 1 if the HTML of
   * all is proven, and the results as JSON, with spaces between.
   * @param {string} jobs - JSON
   */
  render(jobs) {
    results = [];
    let proven = 1;
    const until = realNow() + SLICE_MS;
    for (const [component, props, prefix] of parse(jobs)) {
      const result = renderBlock(component, props, prefix);
      results.push(result);
      if (result[0] !== null && (result[1] & PROVEN) === 0) proven = 0;
      if (realNow() >= until) break;
    }
    return `${results.length} ${proven} ${stringify(results)}`;
  },
  /** The results of a render that was stopped. The job after them is the one that was stopped. */
  partial() {
    return stringify(results);
  },
  /** Do nothing. When this returns, V8 has run the promise reactions that blocks left. */
  settle() {},
});
