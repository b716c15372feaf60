// What is told of an error: its name, its message, and where it arose. Components throw anything, so
// nothing that they can write counts as a place: not the property `stack`, not a function's name.

import { apply, block, defineProperty } from "./host.js";

/** @typedef {{name: string, message: string, stack: string, browser: string}} Failure */

const MAX_FRAMES = 60; // the frames of packages must not hide the component's

/** @type {any} */
const shared = Error;
shared.stackTraceLimit = MAX_FRAMES;
shared.prepareStackTrace = (/** @type {unknown} */ _, /** @type {unknown} */ sites) => sites;
/** @type {any} */
const [callSite] = /** @type {any} */ (new Error()).stack;
const { getScriptNameOrSourceURL, getLineNumber, getColumnNumber } = callSite;

/** The frames of errors, one a line: `script:line:column`. @type {WeakMap<object, string>} */
const traces = new WeakMap();

// V8 calls this when a stack is first read. Components can call it, but they have no call sites, and
// methods of these throw for anything else. With `freeze.js` it can't be replaced.
defineProperty(shared, "prepareStackTrace", {
  /** @type {(error: object, sites: any[]) => string} */
  value(error, sites) {
    let frames = "";
    let shown = text(error, 1000);
    for (let i = 0; i < sites.length; i++) {
      const site = sites[i];
      const script = apply(getScriptNameOrSourceURL, site, []);
      frames += `${script}:${apply(getLineNumber, site, [])}:${apply(getColumnNumber, site, [])}\n`;
      shown += `\n    at ${apply(callSite.toString, site, [])}`;
    }
    traces.set(error, frames);
    return shown;
  },
});

// A value as text, whatever it is.
/** @type {(value: unknown, maxChars: number) => string} */
const text = (value, maxChars) => {
  let said;
  try {
    said = String(value);
  } catch {
    said = "(a value that can't be shown)";
  }
  return said.slice(0, maxChars).toWellFormed();
};

/** A property, undefined where its getter throws. @type {(value: any, name: string) => any} */
const read = (value, name) => {
  try {
    return value[name];
  } catch {
    return undefined;
  }
};

/** The first characters of an error's message. @type {(error: unknown) => string} */
export const messageOf = (error) => text(read(error, "message") ?? "", 800);

/** @type {(error: unknown) => Failure} */
export const failure = (error) => {
  const browser = block.browserName;
  if (typeof error !== "object" || error === null) {
    return { name: "", message: `it threw ${text(error, 700)}`, stack: "", browser };
  }
  read(error, "stack"); // has V8 make the trace, unless the component has put something else there
  return {
    name: text(read(error, "name") ?? "Error", 60),
    message: messageOf(error),
    stack: traces.get(error) ?? "",
    browser,
  };
};
