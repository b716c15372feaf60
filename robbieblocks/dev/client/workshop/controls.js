// Controls for props, made from the schema. A value that is not given is left out of the props.

import { element } from "../element.js";
import { choicesOf, firstValue, kindOf, resolved } from "./schema.js";

/**
 * @typedef {import("./schema.js").Schema} Schema
 * @typedef {(string | number)[]} Path
 * @typedef {{ pointer: string | null, severity: string, text: string, remedy: string }} Problem
 * @typedef {{ path: Path, name: string, schema: Schema, value: any, required: boolean }} Field
 */

const LONG = 80;
const SLIDER_MAX_STEPS = 1000;
/** @type {{ [format: string]: string }} */
const INPUTS = { date: "date", email: "email", uri: "url", color: "color" };

/** @type {(path: Path) => string} As JSON pointers name it. */
const pointerOf = (path) =>
  path.map((step) => `/${String(step).replace(/~/g, "~0").replace(/\//g, "~1")}`).join("");

/** @type {(holder: any, path: Path, value: any) => any} A copy with another value in one place. */
const withValue = (holder, [step, ...rest], value) => {
  if (step === undefined) return value;
  const copy = Array.isArray(holder) ? [...holder] : { ...holder };
  const inner = withValue(copy[step], rest, value);
  if (inner !== undefined) copy[step] = inner;
  else if (Array.isArray(copy)) copy.splice(Number(step), 1);
  else delete copy[step];
  return copy;
};

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
    /** @type {Map<string, { control: HTMLElement | null, error: HTMLElement }>} */
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
    // What was redrawn under the keyboard keeps it.
    if (focused.startsWith("prop")) document.getElementById(focused)?.focus();
    this.tell(this.problems);
  }

  /** @type {(path: Path, value: any, redraw?: boolean) => void} Undefined takes the value away. */
  set(path, value, redraw = false) {
    this.props = withValue(this.props, path, value) ?? {};
    if (redraw) this.draw();
    this.changed(this.props);
  }

  /** @type {(problems: Problem[]) => Problem[]} Shows each at its control; those without one. */
  tell(problems) {
    this.problems = problems;
    for (const { control, error } of this.fields.values()) {
      error.textContent = "";
      control?.removeAttribute("aria-invalid");
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
    switch (kindOf(field.schema)) {
      case "enum":
        return this.labelled(field, this.choice(field));
      case "boolean":
        return this.flag(field);
      case "number":
        return this.labelled(field, ...this.number(field));
      case "string":
        return this.labelled(field, this.text(field));
      case "array":
        return this.array(field);
      case "object":
        return field.value === undefined && !field.required
          ? this.labelled(field, this.adder(field, "Add"))
          : this.object(field);
      default:
        return this.json(field);
    }
  }

  /** @type {(field: Field, control: HTMLElement, ...others: HTMLElement[]) => HTMLElement} */
  labelled(field, control, ...others) {
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
    const line = element("div", { className: "label" }, element("span", {}, label));
    if (field.required && field.path.length && typeof field.path.at(-1) === "string")
      line.firstElementChild?.append(
        element("span", { className: "quiet", textContent: "required" }),
      );
    else if (field.value !== undefined && typeof field.path.at(-1) === "string") {
      const reset = element("button", { className: "bare", textContent: "Unset" });
      reset.type = "button";
      reset.setAttribute("aria-label", `Unset ${field.name}`);
      reset.addEventListener("click", () => this.set(field.path, undefined, true));
      line.append(reset);
    }
    const error = element("p", { className: "error", id: `${id}-error` });
    error.setAttribute("aria-live", "polite");
    this.fields.set(pointerOf(field.path), { control, error });
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
  choice(field) {
    const select = element("select", { id: this.id(field) });
    const choices = choicesOf(field.schema);
    const chosen = choices.findIndex(
      (each) => JSON.stringify(each) === JSON.stringify(field.value),
    );
    if (!field.required || chosen < 0) select.append(new Option(unset(field.schema), "-1"));
    select.append(
      ...choices.map(
        (each, at) => new Option(typeof each === "string" ? each : JSON.stringify(each), `${at}`),
      ),
    );
    select.value = `${chosen}`;
    select.addEventListener("change", () => {
      this.set(field.path, choices[Number(select.value)], true);
    });
    return select;
  }

  /** @type {(field: Field) => HTMLElement} */
  flag(field) {
    const box = element("input", { type: "checkbox", id: this.id(field) });
    box.checked = field.value ?? field.schema.default ?? false;
    box.indeterminate = field.value === undefined && field.schema.default === undefined;
    box.addEventListener("change", () => this.set(field.path, box.checked, true));
    return this.frame(field, box, element("label", {}, box, " ", field.name));
  }

  /** @type {(field: Field) => [HTMLElement, ...HTMLElement[]]} */
  number(field) {
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
    box.id = this.id(field);
    box.value = field.value ?? "";
    box.placeholder = `${field.schema.default ?? "not set"}`;
    const send = (/** @type {HTMLInputElement} */ from) => {
      if (from.validity.badInput) return;
      this.set(field.path, from.value === "" ? undefined : Number(from.value));
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
  }

  /** @type {(field: Field) => HTMLElement} */
  text(field) {
    const { schema, value } = field;
    const text = value ?? "";
    const long = schema.maxLength > LONG * 3 || text.length > LONG || text.includes("\n");
    const input = long
      ? element("textarea", { rows: 3 })
      : element("input", { type: INPUTS[schema.format] ?? "text" });
    input.id = this.id(field);
    input.value = text;
    input.placeholder = unset(schema);
    input.autocomplete = "off";
    input.addEventListener("input", () => {
      const emptied = input.value === "" && schema.format in INPUTS;
      this.set(field.path, emptied ? undefined : input.value);
    });
    // A way back appears once there is something to go back from.
    input.addEventListener("change", () => value === undefined && this.draw());
    return input;
  }

  /** @type {(field: Field) => HTMLElement} */
  array(field) {
    const items = field.value ?? [];
    const rows = items.map((/** @type {any} */ value, /** @type {number} */ at) => {
      const path = [...field.path, at];
      const name = `${field.name} ${at + 1}`;
      const schema = resolved(this.schema, field.schema.items);
      const move = (/** @type {number} */ to) => {
        const copy = [...items];
        copy.splice(to, 0, ...copy.splice(at, 1));
        this.set(field.path, copy, true);
      };
      const row = element(
        "div",
        { className: "chips" },
        this.button("Up", `Move ${name} up`, () => move(at - 1), at === 0),
        this.button("Down", `Move ${name} down`, () => move(at + 1), at === items.length - 1),
        this.button("Remove", `Remove ${name}`, () => this.set(path, undefined, true)),
      );
      return element("li", {}, this.control({ path, name, schema, value, required: true }), row);
    });
    const list = element("ul", { className: "items" }, ...rows);
    const label = element("span", { textContent: `${field.name} (${items.length})` });
    return this.frame(field, null, label, list, this.adder(field, "Add an item"));
  }

  /** @type {(field: Field, text: string) => HTMLElement} */
  adder(field, text) {
    const id = `${this.id(field)}-add`;
    const add = this.button(text, `${text}: ${field.name}`, () => {
      const isArray = kindOf(field.schema) === "array";
      const value = firstValue(
        this.schema,
        isArray ? field.schema.items : field.schema,
        field.name,
      );
      this.set(field.path, isArray ? [...(field.value ?? []), value] : value, true);
    });
    add.id = id;
    add.className = "";
    return add;
  }

  /** @type {(text: string, label: string, act: () => void, disabled?: boolean) => HTMLButtonElement} */
  button(text, label, act, disabled = false) {
    const made = element("button", {
      className: "bare",
      textContent: text,
      type: "button",
      disabled,
    });
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }

  /** @type {(field: Field) => HTMLElement} */
  object(field) {
    const value = typeof field.value === "object" && field.value ? field.value : {};
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
      this.fields.set("", { control: null, error });
      fields.append(error);
      return fields;
    }
    return this.frame(field, null, element("span", { textContent: field.name }), fields);
  }

  /** @type {(field: Field, name?: string) => HTMLElement} */
  json(field, name = field.name) {
    const area = element("textarea", { id: this.id(field), className: "code", rows: 4 });
    area.spellcheck = false;
    area.value = field.value === undefined ? "" : JSON.stringify(field.value, null, 2);
    area.placeholder = unset(field.schema);
    area.addEventListener("input", () => {
      const known = this.fields.get(pointerOf(field.path));
      try {
        const value = area.value.trim() === "" ? undefined : JSON.parse(area.value);
        if (!field.path.length && (typeof value !== "object" || Array.isArray(value)))
          throw new SyntaxError("props are an object");
        if (known) known.error.textContent = "";
        area.removeAttribute("aria-invalid");
        this.set(field.path, value);
      } catch (error) {
        if (known)
          known.error.textContent = `This is no JSON: ${/** @type {Error} */ (error).message}`;
        area.setAttribute("aria-invalid", "true");
      }
    });
    return this.frame(field, area, element("label", { htmlFor: area.id }, name), area);
  }
}

/** @type {(schema: Schema) => string} What holds where no value is given. */
const unset = (schema) =>
  schema.default === undefined
    ? "not set"
    : `default: ${typeof schema.default === "string" ? schema.default : JSON.stringify(schema.default)}`;
