// Proves of a block's HTML that it stays inside its wrapper, that a parser makes the tree of it that
// React has, and that no control stands in another one: for what nearly every block is made of, known
// elements, each closed in order, and no text that a parser could take for a tag. What this can't prove
// is checked by a real HTML parser in the child process (html_check.py, nesting.py, controls.py).

import { block } from "./host.js";

const ORDINARY = new Set(
  (
    "div span section article header footer main nav aside h1 h2 h3 h4 h5 h6 p ul ol li dl dt dd " +
    "a button img br hr input label strong em b i u s small sub sup code kbd pre blockquote " +
    "figure figcaption time mark abbr cite q canvas video audio source picture form fieldset " +
    "legend output progress meter details summary dialog svg path circle ellipse rect g line " +
    "polyline polygon defs use table caption thead tbody tfoot tr th td"
  ).split(" "),
);
const VOID = new Set(["img", "br", "hr", "input", "source"]);
// Their opening tag closes a <p> that is open (HTML 13.2.6.4.7).
const HEADINGS = new Set("h1 h2 h3 h4 h5 h6".split(" "));
const CLOSES_P = new Set(
  (
    "div section article header footer main nav aside h1 h2 h3 h4 h5 h6 p ul ol li dl dt dd hr " +
    "pre blockquote figure figcaption form fieldset details summary dialog table"
  ).split(" "),
);
// Parts of a table, and what each has to stand in. What else stands there a parser moves.
/** @type {Map<string, string[]>} */
const PARTS_IN = new Map([
  ["caption", ["table"]],
  ["thead", ["table"]],
  ["tbody", ["table"]],
  ["tfoot", ["table"]],
  ["tr", ["thead", "tbody", "tfoot"]],
  ["th", ["tr"]],
  ["td", ["tr"]],
]);
const HOLDS_PARTS = new Set("table thead tbody tfoot tr".split(" "));
// Their opening tag ends an <svg> that is open (HTML 13.2.6.5).
const LEAVES_SVG = new Set(
  (
    "b blockquote br code dd div dl dt em h1 h2 h3 h4 h5 h6 hr i img li ol p pre s small span " +
    "strong sub sup u ul"
  ).split(" "),
);
const LISTS = new Set(["ul", "ol", "dl"]);
// Attributes and the end of an opening tag, after its name; and what React writes as comments.
const REST = /((?: [A-Za-z][A-Za-z0-9:_-]*(?:="[^"<>]*")?)*)(\/?)>/y;
const COMMENT = /<!--\/?[$&!?]?-->/y;
const NAME = /[a-z][a-z0-9]*/y;
// Ids and attributes that may be the page's own, once entities are resolved, and event handlers.
const RESERVED = / (?:id="(?:(?:f\d+)?b-?\d+"|rb-|[^"]*&)|data-rb-|on[a-z])/i;
const SLASH = 47;
const EXCLAMATION_MARK = 33;
const GREATER_THAN = 62;

/** @type {(stickyPattern: RegExp, html: string, at: number) => RegExpExecArray | null} */
const matchAt = (pattern, html, at) => {
  pattern.lastIndex = at;
  return pattern.exec(html);
};

// Whether a parser might move an element of a table, or what stands in one.
/** @type {(name: string, open: string[]) => boolean} */
const isOutOfTable = (name, open) => {
  const outer = open[open.length - 1] ?? "";
  const around = PARTS_IN.get(name);
  if (around !== undefined) return !around.includes(outer);
  return HOLDS_PARTS.has(outer) || (name === "table" && open.includes("svg"));
};

// Whether a parser might close one of the open elements at an item of a list.
/** @type {(name: string, open: string[]) => boolean} */
const isItemInItem = (name, open) => {
  const list = open.findLastIndex((outer) => LISTS.has(outer));
  const inner = open.slice(list + 1);
  return name === "li" ? inner.includes("li") : inner.includes("dt") || inner.includes("dd");
};

// Whether an element inside the open ones might make a parser close one of them.
/** @type {(name: string, open: string[]) => boolean} */
const mayClose = (name, open) =>
  (CLOSES_P.has(name) && open.includes("p")) ||
  (HEADINGS.has(name) && HEADINGS.has(open[open.length - 1] ?? "")) ||
  ((name === "li" || name === "dt" || name === "dd") && isItemInItem(name, open)) ||
  ((name === "a" || name === "button" || name === "form") && open.includes(name)) ||
  (LEAVES_SVG.has(name) && open.includes("svg"));

// What a visitor operates, or may with such an attribute (controls.py).
const CONTROLS = new Set(["a", "button", "label", "details", "input"]);
const OPERATED = / (?:tabindex|controls|usemap)(?:=| |$)/i;

// Whether an element might be a control that stands in another one.
/** @type {(name: string, attributes: string, open: string[]) => boolean} */
const isControlInside = (name, attributes, open) =>
  (CONTROLS.has(name) || (attributes !== "" && OPERATED.test(attributes))) &&
  (open.includes("a") || open.includes("button") || (name === "label" && open.includes(name)));

const MAX_RAW = 100;
const RAW = "><!--rb-raw--></";

/**
 * The HTML with a mark in place of each text that the block set as HTML; "" where they are too many.
 * @param {string} html
 */
export const withoutRaw = (html) => {
  const raw = [...block.rawHtml].sort((one, other) => other.length - one.length);
  if (raw.length > MAX_RAW) return "";
  return raw.reduce((text, each) => text.replaceAll(`>${each}</`, () => RAW), html);
};

/**
 * Whether the HTML is proven to stay inside its wrapper, and to be nested as HTML allows: as React has
 * it where the block lives in the browser, in which raw HTML has no tree.
 * @param {string} html
 * @param {boolean} lives
 */
export const proveHtml = (html, lives) => {
  const proof = { stays: false, nested: !lives || block.rawHtml.size === 0 };
  /** @type {string[]} */
  const open = [];
  let at = html.indexOf("<");
  while (at !== -1) {
    const next = html.charCodeAt(at + 1);
    if (next === SLASH) {
      // It must close the element that was opened last.
      const name = open.pop();
      if (name === undefined || !html.startsWith(name, at + 2)) return proof;
      at += 2 + name.length;
      if (html.charCodeAt(at) !== GREATER_THAN) return proof;
    } else if (next === EXCLAMATION_MARK) {
      if (html.startsWith("<!-- -->", at)) at += 7;
      else {
        const comment = matchAt(COMMENT, html, at);
        if (comment === null) return proof;
        at += comment[0].length - 1;
      }
    } else {
      let end = html.indexOf(">", at + 1);
      if (end === -1) return proof;
      let name = html.slice(at + 1, end);
      let closed = false;
      let attributes = "";
      if (!ORDINARY.has(name)) {
        // It has attributes, or it can't be proven.
        const found = matchAt(NAME, html, at + 1);
        if (found === null) return proof;
        name = found[0];
        if (!ORDINARY.has(name)) return proof;
        const rest = matchAt(REST, html, at + 1 + name.length);
        if (rest === null || (rest[1] !== "" && RESERVED.test(rest[1]))) return proof;
        // `document.x` finds these by name before its own members.
        if ((name === "form" || name === "img") && / name=/i.test(rest[1])) return proof;
        closed = rest[2] !== "";
        attributes = rest[1];
        end = at + name.length + rest[0].length;
      }
      if (isOutOfTable(name, open)) return proof;
      if (proof.nested && (mayClose(name, open) || isControlInside(name, attributes, open))) {
        proof.nested = false;
      }
      if (!VOID.has(name)) {
        // Only inside svg does "/>" close an element.
        if (!closed) open.push(name);
        else if (!open.includes("svg")) return proof;
      }
      at = end;
    }
    const after = html.indexOf("<", at + 1);
    // Text, which a parser moves out of a table.
    if (after !== at + 1 && HOLDS_PARTS.has(open[open.length - 1] ?? "")) return proof;
    at = after;
  }
  proof.stays = open.length === 0;
  return proof;
};
