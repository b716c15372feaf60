// Keeps what a visitor has typed, chosen and selected in a block whose elements are made anew.

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */
/**
 * @typedef {{
 *   control: Control, touched: boolean, value: string, checked: boolean, files: FileList | null,
 *   chosen: boolean[], selection: [number, number] | null,
 * }} Typed
 */

/** @type {(element: Element) => Control[]} */
const controlsOf = (element) =>
  [...element.querySelectorAll("input, textarea, select")].map(asControl);

/** @type {(element: Element) => Control} */
const asControl = (element) => /** @type {Control} */ (element);

/** @type {(control: Control) => string} What a control has in common with the one in its place. */
const kind = (control) => `${control.localName} ${control.type} ${control.name}`;

/** @type {(control: any) => boolean} */
const isTouched = (control) => {
  if (control.files?.length) return true;
  if (control.options)
    return [...control.options].some((each) => each.selected !== each.defaultSelected);
  return control.type === "checkbox" || control.type === "radio"
    ? control.checked !== control.defaultChecked
    : control.value !== control.defaultValue;
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
  }));

/** @type {(control: any, typed: Typed) => void} As if the visitor did it again: handlers are called. */
const repeat = (control, typed) => {
  const tell = (/** @type {string} */ name) =>
    control.dispatchEvent(new Event(name, { bubbles: true }));
  if (control.type === "checkbox" || control.type === "radio") {
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
 * Put what the visitor did into the controls that came instead, and tell React of it.
 * @type {(element: Element, before: Typed[]) => void}
 */
export const retype = (element, before) => {
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
    if (typed.selection === null) continue;
    control.focus({ preventScroll: true });
    if (selectionOf(control) !== null) {
      /** @type {HTMLInputElement} */ (control).setSelectionRange(...typed.selection);
    }
  }
};
