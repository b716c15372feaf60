// Small buttons that are pressed or not, and groups of them.

import { element } from "../element.js";

/** @type {(text: string, pressed: boolean, act: () => void, title?: string) => HTMLButtonElement} */
export const chip = (text, pressed, act, title = "") => {
  const made = element("button", { textContent: text, type: "button", title });
  made.setAttribute("aria-pressed", `${pressed}`);
  made.addEventListener("click", act);
  return made;
};

/** @type {(name: string, ...parts: HTMLElement[]) => HTMLElement} */
export const group = (name, ...parts) => {
  const label = element("span", { className: "quiet", textContent: name });
  const made = element("div", {}, label, ...parts);
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", name);
  return made;
};

/** @type {(place: HTMLElement, ...parts: HTMLElement[]) => void} A button that is redrawn keeps the keyboard. */
export const redraw = (place, ...parts) => {
  const { activeElement } = document;
  const focused = place.contains(activeElement) ? activeElement?.textContent : "";
  place.replaceChildren(...parts);
  for (const each of place.querySelectorAll("button"))
    if (focused && each.textContent === focused) each.focus();
};
