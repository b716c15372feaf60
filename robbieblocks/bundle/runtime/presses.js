// Does again, once a block lives, what visitors pressed in it before: most visits need none of it. It has
// no name in import maps: islands.js knows its address.

/**
 * @type {(target: Element) => boolean}
 * Whether a press on it does something without scripts: it has, and must not do it twice.
 */
const actsByItself = (target) => {
  /** @type {any} */
  const control = target.closest(
    "a[href],area,button,input,select,textarea,label,summary,audio,video,[contenteditable]",
  );
  if (control?.localName !== "button" && control?.type !== "button") return control !== null;
  const sends = control.type !== "button" && control.form;
  return Boolean(sends || control.popoverTargetElement || control.commandForElement);
};

/** @param {Event} event */
const stop = (event) => event.stopPropagation();

/**
 * @type {(element: HTMLElement, clicks: any[], pause: () => Promise<unknown>) => Promise<void>}
 * Press again what was pressed in a block to which React listens from now on. Each control once: who
 * sees nothing happen presses repeatedly.
 */
export const pressAgain = async (element, clicks, pause) => {
  /** @type {Map<Element, any>} */
  const last = new Map();
  for (const event of clicks) {
    const control = event.target.closest("button") ?? event.target;
    last.delete(control);
    last.set(control, event);
  }
  for (const event of last.values()) {
    // What was rendered anew has other elements.
    if (!element.contains(event.target) || actsByItself(event.target)) continue;
    // Whoever listens further out has heard it.
    element.addEventListener("click", stop);
    event.target.dispatchEvent(new event.constructor("click", event));
    element.removeEventListener("click", stop);
    // What it sets is shown before the next one.
    await pause();
  }
};
