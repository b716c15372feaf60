// Controls for props, made from the schema. A value that is not given is left out of the props.

import { element } from "../element.js";
import { choice, flag, json, number, text } from "./inputs.js";
import { firstValue, fits, kindOf, resolved } from "./schema.js";
import { pointerOf, valueAt, withValue } from "./values.js";

/**
 * @typedef {import("./schema.js").Schema} Schema
 * @typedef {import("./values.js").Path} Path
 * @typedef {{ pointer: string | null, severity: string, text: string, remedy: string }} Problem
 * @typedef {{ path: Path, name: string, schema: Schema, value: any, required: boolean }} Field
 * @typedef {{ control: HTMLElement | null, reset: HTMLElement | null, error: HTMLElement,
 *   unreadable: string }} Drawn
 */

export class Controls {
  /**
   * @param {HTMLElement} place
   * @param {(props: any) => void} changed
   */
  constructor(place, changed) {
    this.place = place;
    this.changed = changed;
    /** @type {Schema} */
    this.schema = {};
    /** @type {any} */
    this.props = {};
    /** @type {Map<string, Drawn>} */
    this.fields = new Map();
    /** @type {Problem[]} */
    this.problems = [];
  }

  /** @type {(schema: Schema, props: any) => void} */
  show(schema, props) {
    this.schema = schema;
    this.props = props;
    this.draw();
  }

  draw() {
    const focused = document.activeElement?.id ?? "";
    this.fields.clear();
    const schema = resolved(this.schema, this.schema);
    const field = { path: [], name: "Props", schema, value: this.props, required: true };
    this.place.replaceChildren(
      schema.properties ? this.object(field) : this.json(field, "Props, as JSON"),
    );
    if (focused.startsWith("prop")) this.focus(focused);
    this.tell(this.problems);
  }

  /** @type {(id: string) => void} What was redrawn under the keyboard keeps it, or what is nearest. */
  focus(id) {
    /** @type {NodeListOf<HTMLInputElement>} */
    const drawn = this.place.querySelectorAll("input, select, textarea, button");
    const usable = [...drawn].filter((each) => !each.disabled && !each.hidden);
    let at = usable.find((each) => each.id === id);
    for (let stem = id; stem && !at; stem = stem.slice(0, Math.max(0, stem.search(/[-/][^-/]*$/))))
      at = usable.find((each) => each.id.startsWith(stem));
    at?.focus();
  }

  /** @type {(path: Path, value: any, redraw?: boolean) => void} Undefined takes the value away. */
  set(path, value, redraw = false) {
    this.props = withValue(this.props, path, value) ?? {};
    const reset = this.fields.get(pointerOf(path))?.reset;
    if (reset) reset.hidden = value === undefined;
    if (redraw) this.draw();
    this.changed(this.props);
  }

  /** @type {(problems: Problem[]) => Problem[]} Shows each at its control; those without one. */
  tell(problems) {
    this.problems = problems;
    for (const { control, error, unreadable } of this.fields.values()) {
      error.textContent = unreadable;
      if (unreadable) control?.setAttribute("aria-invalid", "true");
      else control?.removeAttribute("aria-invalid");
    }
    return problems.filter((problem) => {
      if (problem.pointer === null) return true;
      const lacks = /^"(.+)" is a required property/.exec(problem.text);
      let at = problem.pointer + (lacks ? pointerOf([/** @type {string} */ (lacks[1])]) : "");
      while (at && !this.fields.has(at)) at = at.slice(0, at.lastIndexOf("/"));
      const field = this.fields.get(at);
      if (!field) return true;
      field.error.textContent = `${field.error.textContent} ${problem.text}`.trim();
      field.control?.setAttribute("aria-invalid", "true");
      return false;
    });
  }

  /** @type {(field: Field) => HTMLElement} */
  control(field) {
    const set = (/** @type {any} */ value) => this.set(field.path, value);
    const redrawn = (/** @type {any} */ value) => this.set(field.path, value, true);
    const kind = kindOf(field.schema);
    if (field.value !== undefined && !fits(kind, field.value)) return this.json(field);
    switch (kind) {
      case "enum":
        return this.labelled(field, choice(field, redrawn));
      case "boolean": {
        const box = flag(field, redrawn);
        box.id = this.id(field);
        return this.frame(field, box, element("label", {}, box, " ", field.name));
      }
      case "number":
        return this.labelled(field, ...number(field, set));
      case "string":
        return this.labelled(field, text(field, set));
      case "array":
        return this.array(field);
      case "object":
        // One that must be there may hold itself: nothing is drawn that is not given.
        return field.value === undefined
          ? this.labelled(field, this.adder(field, "Add"))
          : this.object(field);
      default:
        return this.json(field);
    }
  }

  /** @type {(field: Field, control: HTMLElement, ...others: HTMLElement[]) => HTMLElement} */
  labelled(field, control, ...others) {
    control.id ||= this.id(field);
    const label = element("label", { htmlFor: control.id }, field.name);
    return this.frame(
      field,
      control,
      label,
      others.length ? this.row(control, ...others) : control,
    );
  }

  /** @type {(...parts: HTMLElement[]) => HTMLElement} */
  row(...parts) {
    return element("div", { className: "range" }, ...parts.reverse());
  }

  /** A name, the way back to no value, the control, its description and what is wrong. */
  /** @type {(field: Field, control: HTMLElement | null, label: HTMLElement, ...body: HTMLElement[]) => HTMLElement} */
  frame(field, control, label, ...body) {
    const id = this.id(field);
    const isNamed = typeof field.path.at(-1) === "string";
    const line = element("div", { className: "label" }, element("span", {}, label));
    /** @type {HTMLElement | null} */
    let reset = null;
    if (isNamed && field.required)
      line.firstElementChild?.append(
        element("span", { className: "quiet", textContent: "required" }),
      );
    else if (isNamed) {
      reset = this.button(field.path, "Unset", `Unset ${field.name}`, () =>
        this.set(field.path, undefined, true),
      );
      reset.hidden = field.value === undefined;
      line.append(reset);
    }
    const error = element("p", { className: "error", id: `${id}-error` });
    error.setAttribute("aria-live", "polite");
    this.fields.set(pointerOf(field.path), { control, reset, error, unreadable: "" });
    const parts = [line, ...body];
    const about = field.schema.description;
    if (typeof about === "string")
      parts.push(element("p", { className: "quiet", id: `${id}-about`, textContent: about }));
    control?.setAttribute("aria-describedby", about ? `${id}-error ${id}-about` : `${id}-error`);
    return element("div", { className: "field" }, ...parts, error);
  }

  /** @type {(field: Field) => string} */
  id(field) {
    return `prop${pointerOf(field.path)}`;
  }

  /** @type {(field: Field) => HTMLElement} */
  array(field) {
    const items = field.value ?? [];
    const rows = items.map((/** @type {any} */ value, /** @type {number} */ at) => {
      const path = [...field.path, at];
      const name = `${field.name} ${at + 1}`;
      const schema = resolved(this.schema, field.schema.items);
      const move = (/** @type {number} */ to) => {
        const copy = [...valueAt(this.props, field.path)];
        copy.splice(to, 0, ...copy.splice(at, 1));
        this.set(field.path, copy, true);
      };
      const row = element(
        "div",
        { className: "chips" },
        this.button(path, "Up", `Move ${name} up`, () => move(at - 1), at === 0),
        this.button(path, "Down", `Move ${name} down`, () => move(at + 1), at === items.length - 1),
        this.button(path, "Remove", `Remove ${name}`, () => this.set(path, undefined, true)),
      );
      return element("li", {}, this.control({ path, name, schema, value, required: true }), row);
    });
    const list = element("ul", { className: "items" }, ...rows);
    const label = element("span", { textContent: `${field.name} (${items.length})` });
    return this.frame(field, null, label, list, this.adder(field, "Add an item"));
  }

  /** @type {(field: Field, text: string) => HTMLElement} */
  adder(field, text) {
    const add = this.button(field.path, text, `${text}: ${field.name}`, () => {
      const isArray = kindOf(field.schema) === "array";
      const value = firstValue(
        this.schema,
        isArray ? field.schema.items : field.schema,
        field.name,
      );
      this.set(
        field.path,
        isArray ? [...(valueAt(this.props, field.path) ?? []), value] : value,
        true,
      );
    });
    add.className = "";
    return add;
  }

  /** @type {(path: Path, text: string, label: string, act: () => void, disabled?: boolean) => HTMLButtonElement} */
  button(path, text, label, act, disabled = false) {
    const made = element("button", {
      className: "bare",
      textContent: text,
      type: "button",
      disabled,
      id: `prop${pointerOf(path)}-${text}`,
    });
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }

  /** @type {(field: Field) => HTMLElement} */
  object(field) {
    const { value } = field;
    const needed = field.schema.required ?? [];
    const [first, later] = [true, false].map((is) =>
      Object.entries(field.schema.properties).filter(([name]) => needed.includes(name) === is),
    );
    const named = [...(first ?? []), ...(later ?? [])].map(([name, part]) =>
      this.control({
        path: [...field.path, name],
        name,
        schema: resolved(this.schema, part),
        value: value[name],
        required: needed.includes(name),
      }),
    );
    // What the schema does not name can still be there.
    const others = Object.keys(value)
      .filter((name) => !(name in field.schema.properties))
      .map((name) =>
        this.json({
          path: [...field.path, name],
          name,
          schema: {},
          value: value[name],
          required: false,
        }),
      );
    const fields = element("fieldset", {}, ...named, ...others);
    fields.setAttribute("aria-label", field.name);
    if (!field.path.length) {
      const error = element("p", { className: "error" });
      this.fields.set("", { control: null, reset: null, error, unreadable: "" });
      fields.append(error);
      return fields;
    }
    return this.frame(field, null, element("span", { textContent: field.name }), fields);
  }

  /** @type {(field: Field, name?: string) => HTMLElement} */
  json(field, name = field.name) {
    const area = json(
      field,
      (value) => this.set(field.path, value),
      (why) => {
        const drawn = this.fields.get(pointerOf(field.path));
        if (drawn) drawn.unreadable = why;
        this.tell(this.problems);
      },
    );
    return this.labelled({ ...field, name }, area);
  }
}
