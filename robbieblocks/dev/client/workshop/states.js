// Shows a document as if it were hovered, focused, printed: by altering the selectors and media
// queries that its stylesheets have by now.

const PSEUDO = /:(hover|active|focus-visible|focus-within|focus)(?![\w-])/g;
const ATTRIBUTE = "data-rb-state";
const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
/** @type {{ [state: string]: string }} Which pseudo-classes a state forces. */
const FORCED = {
  hover: "hover",
  focus: "focus focus-visible focus-within",
  active: "active hover",
};
// Where more stands behind it, too: `not all and (...)` would turn that round.
const NEVER = "all and (width < 0px)";
/** @type {{ [media: string]: (text: string) => string }} */
const MEDIA = {
  print: (text) => text.replace(/\bscreen\b/g, NEVER).replace(/\bprint\b/g, "all"),
  "reduced motion": (text) =>
    text
      .replace(/\(prefers-reduced-motion: ?no-preference\)/g, "(width < 0px)")
      .replace(/\(prefers-reduced-motion(: ?reduce)?\)/g, "(width >= 0px)"),
};
export const STATES = Object.keys(FORCED);
export const MEDIA_KINDS = Object.keys(MEDIA);

/** @type {WeakMap<CSSMediaRule, string>} */
const asWritten = new WeakMap();

/** @type {(rules: CSSRuleList, media: string, view: Window & typeof globalThis) => void} */
const alter = (rules, media, view) => {
  for (const rule of rules) {
    if (rule instanceof view.CSSStyleRule && !rule.selectorText.includes(ATTRIBUTE)) {
      const text = rule.selectorText.replace(PSEUDO, `:is(:$1, [${ATTRIBUTE}~="$1"])`);
      if (text !== rule.selectorText) rule.selectorText = text;
    }
    if (rule instanceof view.CSSMediaRule) {
      const text = asWritten.get(rule) ?? rule.media.mediaText;
      asWritten.set(rule, text);
      const wanted = MEDIA[media]?.(text) ?? text;
      if (rule.media.mediaText !== wanted) rule.media.mediaText = wanted;
    }
    if ("cssRules" in rule) alter(/** @type {any} */ (rule).cssRules, media, view);
  }
};

/**
 * @type {(frame: Document, state: string, media: string) => void} Empty: as nobody touches it.
 */
export const applyStates = (frame, state, media) => {
  const view = frame.defaultView;
  if (!view) return;
  for (const sheet of frame.styleSheets) alter(sheet.cssRules, media, view);
  for (const each of frame.querySelectorAll(`[${ATTRIBUTE}]`)) each.removeAttribute(ATTRIBUTE);
  const forced = FORCED[state];
  if (!forced) return;
  const wanted = state === "focus" ? FOCUSABLE : "*";
  for (const block of frame.querySelectorAll(".rb-block"))
    for (const each of block.querySelectorAll(wanted)) each.setAttribute(ATTRIBUTE, forced);
};
