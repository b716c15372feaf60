// Collects the words that may be utility classes: of a block's HTML, and of its props, whose texts a
// component may make classes of once it runs in the browser.

const MAX_WORDS = 2000;
const MAX_WORD_CHARS = 256;
// Raw HTML may quote a value in three ways.
const ATTRIBUTE = /[\s"'/]class\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>`=]+))/gi;
const REFERENCE = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos));/gi;
/** @type {Record<string, string>} */
const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
// What Tailwind's classes begin with (`2xl:` is a variant), and no word at the end of a clause ends with.
const WORD = /^(?:[a-z@!*[-]|\d\w{0,9}:)\S*$/;
const PROSE = /[.,;?:]$/;
const MAX_LIST_CHARS = 2000;

/** @type {(text: string) => string} */
const unescaped = (text) =>
  text.replace(REFERENCE, (whole, decimal, hex, name) => {
    if (name) return NAMED[name.toLowerCase()] ?? whole;
    const code = Number.parseInt(decimal ?? hex, decimal ? 10 : 16);
    return code > 32 && code < 0x110000 ? String.fromCodePoint(code) : " ";
  });

/**
 * Add the words of the class attributes of HTML. Gives false where there are too many.
 * @type {(html: string, found: Set<string>) => boolean}
 */
const addFromHtml = (html, found) => {
  if (!/class/i.test(html)) return true;
  for (const [, double, single, bare] of html.matchAll(ATTRIBUTE)) {
    const value = double ?? single ?? bare;
    if (!addWords(value.includes("&") ? unescaped(value) : value, found)) return false;
  }
  return true;
};

/** @type {(text: string, found: Set<string>) => boolean} */
const addWords = (text, found) => {
  for (const word of text.split(/\s+/)) {
    if (word.length > MAX_WORD_CHARS || !WORD.test(word)) continue;
    if (found.size >= MAX_WORDS && !found.has(word)) return false;
    found.add(word);
  }
  return true;
};

// Whether a text of the props looks like a list of classes, not like a sentence.
/** @type {(text: string) => boolean} */
const isList = (text) =>
  text.length <= MAX_LIST_CHARS &&
  text.split(/\s+/).every((word) => word === "" || (WORD.test(word) && !PROSE.test(word)));

/** @type {(props: unknown, found: Set<string>) => boolean} */
const addFromProps = (props, found) => {
  const pending = [props];
  while (pending.length > 0) {
    const it = pending.pop();
    if (typeof it === "string") {
      if (it.includes("<") && !addFromHtml(it, found)) return false;
      if (isList(it) && !addWords(it, found)) return false;
    } else if (Object(it) === it) {
      for (const value of Object.values(/** @type {object} */ (it))) pending.push(value);
    }
  }
  return true;
};

/**
 * The words of a block's HTML, those that its props have beside them, each sorted and with a blank
 * between, and whether some are left out. `props` are those of a block that changes in the browser,
 * else null.
 * @type {(html: string, props: unknown) => {classes: string, later: string, leftOut: boolean}}
 */
export const classWords = (html, props) => {
  /** @type {Set<string>} */
  const found = new Set();
  let all = addFromHtml(html, found);
  const classes = [...found];
  if (all && props !== null) all = addFromProps(props, found);
  const later = [...found].slice(classes.length);
  return { classes: classes.sort().join(" "), later: later.sort().join(" "), leftOut: !all };
};
