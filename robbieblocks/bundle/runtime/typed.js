// Keeps what a visitor has typed, chosen, selected and opened in a block whose elements are made anew.

import { isEditable, rewrite, writtenIn } from "./editable.js";

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */
/**
 * @typedef {{
 *   control: Control, touched: boolean, value: string, checked: boolean, files: FileList | null,
 *   chosen: boolean[], selection: [number, number] | null, open: boolean,
 *   written: import("./editable.js").Written | null,
 * }} Typed
 */

/** @type {(element: Element) => Control[]} */
const controlsOf = (element) =>
  [...element.querySelectorAll("input, textarea, select, details, [contenteditable]")].map(
    asControl,
  );

/** @type {(element: Element) => Control} */
const asControl = (element) => /** @type {Control} */ (element);

/** @type {(control: Control) => string} What a control has in common with the one in its place. */
const kind = (control) => `${control.localName} ${control.type} ${control.name}`;

/** @type {(select: HTMLSelectElement) => boolean[]} What browsers choose by themselves. */
const defaultsOf = ({ multiple, size, options }) => {
  const all = [...options];
  const stated = all.map((each) => each.defaultSelected);
  if (multiple) return stated;
  const last = stated.lastIndexOf(true);
  const first = size > 1 ? -1 : all.findIndex((each) => !each.matches(":disabled"));
  return all.map((_, at) => at === (last < 0 ? first : last));
};

/** @type {(control: any) => string} What a browser shows for it at first: a range is in its middle. */
const firstValue = (control) => {
  if (control.localName !== "input") return control.defaultValue;
  const same = document.createElement("input");
  for (const name of ["type", "multiple", "min", "max", "step", "value"]) {
    if (control.hasAttribute(name)) same.setAttribute(name, control.getAttribute(name));
  }
  return same.value;
};

/** @type {(control: any) => boolean} */
const canBeChecked = (control) => control.type === "checkbox" || control.type === "radio";

/** @type {(control: any) => boolean} Whether it is no longer as the page's HTML says. */
const isTouched = (control) => {
  if (control.files) return control.files.length > 0;
  if (control.options) {
    const defaults = defaultsOf(control);
    return [...control.options].some((each, at) => each.selected !== defaults[at]);
  }
  return canBeChecked(control)
    ? control.checked !== control.defaultChecked
    : control.value !== firstValue(control);
};

/** @type {(control: any) => [number, number] | null} */
const selectionOf = (control) =>
  typeof control.selectionStart === "number"
    ? [control.selectionStart, control.selectionEnd]
    : null;

/** @type {(element: Element) => Typed[]} What the visitor did with the block's controls so far. */
export const typedIn = (element) =>
  controlsOf(element).map((/** @type {any} */ control) => ({
    control,
    touched: isTouched(control),
    value: control.value,
    checked: control.checked,
    files: control.files ?? null,
    chosen: [...(control.options ?? [])].map((each) => each.selected),
    selection: control === document.activeElement ? (selectionOf(control) ?? [0, 0]) : null,
    open: control.localName === "details" && control.open,
    written: isEditable(control) ? writtenIn(control) : null,
  }));

/** @type {(control: any, typed: Typed) => void} As if the visitor did it again: handlers are called. */
const repeat = (control, typed) => {
  const tell = (/** @type {string} */ name) =>
    control.dispatchEvent(new Event(name, { bubbles: true }));
  if (canBeChecked(control)) {
    // The one that was chosen in its place takes back a radio button.
    if (control.type === "radio" && !typed.checked) return;
    control.checked = !typed.checked;
    control.click();
  } else if (control.type === "file") {
    control.files = typed.files;
    tell("change");
  } else if (control.options) {
    typed.chosen.forEach((chosen, at) => {
      if (control.options[at]) control.options[at].selected = chosen;
    });
    tell("change");
  } else {
    // React compares with what was set through the element's own property, which it replaces.
    const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(control), "value") ?? {};
    control.value = control.defaultValue;
    set?.call(control, typed.value);
    tell("input");
  }
};

/** @type {(control: any) => boolean} Whether React has to be told of what the visitor did. */
const isHandled = (control) => {
  for (const name in control) {
    if (name.startsWith("__reactProps$"))
      return "onChange" in control[name] || "onInput" in control[name];
  }
  return false;
};

/**
 * Put what the visitor did into the controls that came instead, and tell React of it. Gives whether
 * one that can be written in said something else.
 * @type {(element: Element, before: Typed[]) => boolean}
 */
export const retype = (element, before) => {
  let wrote = false;
  /** @type {Map<string, Control[]>} */
  const left = new Map();
  for (const control of controlsOf(element)) {
    left.set(kind(control), [...(left.get(kind(control)) ?? []), control]);
  }
  for (const typed of before) {
    const control = left.get(kind(typed.control))?.shift();
    if (control === undefined) continue;
    const isNew = control !== typed.control;
    if (typed.touched && (isNew || isHandled(control))) {
      repeat(control, typed);
    } else if (!isNew) continue;
    typed.control = control;
    typed.touched = false;
    if (typed.open) /** @type {any} */ (control).open = true;
    if (typed.written !== null) {
      wrote = rewrite(control, typed.written) || wrote;
      continue;
    }
    if (typed.selection === null) continue;
    control.focus({ preventScroll: true });
    if (selectionOf(control) !== null) {
      /** @type {HTMLInputElement} */ (control).setSelectionRange(...typed.selection);
    }
  }
  return wrote;
};

/** @type {(typed: Typed, all: Typed[]) => boolean} */
const isLeftAlone = ({ control, touched }, all) =>
  !touched &&
  (control.type !== "radio" ||
    !all.some((each) => each.touched && kind(each.control) === kind(control)));

/**
 * The controls whose choice nobody made: to be compared once React has taken them over.
 * @type {(typed: Typed[]) => Typed[]}
 */
export const leftAlone = (typed) =>
  typed.filter(
    (each) =>
      (canBeChecked(each.control) || each.control.localName === "select") &&
      isLeftAlone(each, typed),
  );

/**
 * Choose what React's props say. While it hydrates, React leaves choices as they were prerendered.
 * @type {(element: Element, typed: Typed[], propsOf: (control: Control) => any) => void}
 */
export const choose = (element, typed, propsOf) => {
  for (const { control, checked, chosen } of typed) {
    const props = element.contains(control) ? propsOf(control) : undefined;
    if (!props) continue;
    if (control.localName === "select") {
      const wanted = props.value ?? props.defaultValue;
      const options = [.../** @type {HTMLSelectElement} */ (control).options];
      // What an effect has changed since then stays.
      if (wanted == null || options.some((each, at) => each.selected !== chosen[at])) continue;
      const values = (Array.isArray(wanted) ? wanted : [wanted]).map(String);
      for (const each of options) each.selected = values.includes(each.value);
    } else {
      const wanted = props.checked ?? props.defaultChecked;
      const box = /** @type {HTMLInputElement} */ (control);
      if (wanted != null && box.checked === checked) box.checked = Boolean(wanted);
    }
  }
};
