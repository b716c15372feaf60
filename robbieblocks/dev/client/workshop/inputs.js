// Inputs for single values. Each calls `set` with what it holds; undefined takes the value away.

import { element } from "../element.js";
import { choicesOf } from "./schema.js";

/**
 * @typedef {import("./controls.js").Field} Field
 * @typedef {(value: any) => void} Set
 */

const LONG = 80;
const SLIDER_MAX_STEPS = 1000;
/** @type {{ [format: string]: string }} */
const INPUTS = { date: "date", email: "email", uri: "url", color: "color" };

/** @type {(schema: import("./schema.js").Schema) => string} What holds where no value is given. */
export const unset = (schema) =>
  schema.default === undefined
    ? "not set"
    : `default: ${typeof schema.default === "string" ? schema.default : JSON.stringify(schema.default)}`;

/** @type {(field: Field, set: Set) => HTMLElement} */
export const choice = (field, set) => {
  const select = element("select");
  const choices = choicesOf(field.schema);
  const chosen = choices.findIndex((each) => JSON.stringify(each) === JSON.stringify(field.value));
  if (!field.required || chosen < 0) select.append(new Option(unset(field.schema), "-1"));
  select.append(
    ...choices.map(
      (each, at) => new Option(typeof each === "string" ? each : JSON.stringify(each), `${at}`),
    ),
  );
  select.value = `${chosen}`;
  select.addEventListener("change", () => set(choices[Number(select.value)]));
  return select;
};

/** @type {(field: Field, set: Set) => HTMLElement} */
export const flag = (field, set) => {
  const box = element("input", { type: "checkbox" });
  box.checked = field.value ?? field.schema.default ?? false;
  box.indeterminate = field.value === undefined && field.schema.default === undefined;
  box.addEventListener("change", () => set(box.checked));
  return box;
};

/** @type {(field: Field, set: Set) => [HTMLElement, ...HTMLElement[]]} A box; a slider, too. */
export const number = (field, set) => {
  const { minimum, maximum, multipleOf, type } = field.schema;
  const step = multipleOf ?? (type === "integer" ? 1 : null);
  const make = (/** @type {string} */ kind) => {
    const input = element("input", { type: kind });
    input.step = step === null ? "any" : `${step}`;
    if (minimum !== undefined) input.min = `${minimum}`;
    if (maximum !== undefined) input.max = `${maximum}`;
    return input;
  };
  const box = make("number");
  box.value = field.value ?? "";
  box.placeholder = `${field.schema.default ?? "not set"}`;
  const send = (/** @type {HTMLInputElement} */ from) => {
    if (from.validity.badInput) return;
    set(from.value === "" ? undefined : Number(from.value));
  };
  const bounded = minimum !== undefined && maximum !== undefined;
  if (!bounded || (maximum - minimum) / (step ?? 0.01) > SLIDER_MAX_STEPS) {
    box.addEventListener("input", () => send(box));
    return [box];
  }
  const slider = make("range");
  if (step === null) slider.step = `${(maximum - minimum) / 100}`;
  slider.value = field.value ?? field.schema.default ?? minimum;
  slider.setAttribute("aria-label", `${field.name}, slider`);
  slider.addEventListener("input", () => {
    box.value = slider.value;
    send(slider);
  });
  box.addEventListener("input", () => {
    slider.value = box.value;
    send(box);
  });
  return [box, slider];
};

/** @type {(field: Field, set: Set) => HTMLElement} */
export const text = ({ schema, value }, set) => {
  const given = value ?? "";
  const long = schema.maxLength > LONG * 3 || given.length > LONG || given.includes("\n");
  const input = long
    ? element("textarea", { rows: 3 })
    : element("input", { type: INPUTS[schema.format] ?? "text" });
  input.value = given;
  input.placeholder = unset(schema);
  input.autocomplete = "off";
  input.addEventListener("input", () => {
    const emptied = input.value === "" && schema.format in INPUTS;
    set(emptied ? undefined : input.value);
  });
  return input;
};

/**
 * A value as JSON. `wrong` takes what is wrong with the text, or nothing.
 * @type {(field: Field, set: Set, wrong: (why: string) => void) => HTMLElement}
 */
export const json = ({ path, schema, value }, set, wrong) => {
  const area = element("textarea", { className: "code", rows: 4 });
  area.spellcheck = false;
  area.value = value === undefined ? "" : JSON.stringify(value, null, 2);
  area.placeholder = unset(schema);
  area.addEventListener("input", () => {
    try {
      const read = area.value.trim() === "" ? undefined : JSON.parse(area.value);
      if (!path.length && (typeof read !== "object" || Array.isArray(read)))
        throw new SyntaxError("props are an object");
      wrong("");
      set(read);
    } catch (error) {
      wrong(`This is no JSON: ${/** @type {Error} */ (error).message}`);
    }
  });
  return area;
};
