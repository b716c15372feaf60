// What a props schema says of one value, as far as controls need it.

/**
 * @typedef {{ [name: string]: any }} Schema
 * @typedef {"enum" | "boolean" | "number" | "string" | "array" | "object" | "json"} Kind
 */

// Schemas can lead to themselves, and ask for values without end.
const MAX_SCHEMAS = 1000;
const MAX_DEPTH = 12;
const MAX_VALUES = 500;
const MAX_TEXT = 10_000;

/** @type {(root: Schema, pointer: string) => any} */
const target = (root, pointer) => {
  /** @type {any} */
  let found = root;
  for (const step of pointer.split("/").slice(1))
    found = found?.[decodeURIComponent(step).replace(/~1/g, "/").replace(/~0/g, "~")];
  return found;
};

/**
 * The schema that decides a value: references followed, `allOf` joined, null left aside. `known`
 * has what each was resolved to: one that leads to itself adds nothing there.
 * @type {(root: Schema, schema: any, known?: Map<any, Schema>) => Schema}
 */
export const resolved = (root, schema, known = new Map()) => {
  if (typeof schema !== "object" || schema === null) return {};
  const before = known.get(schema);
  if (before || known.size > MAX_SCHEMAS) return before ?? {};
  known.set(schema, {});
  const made = joined(root, schema, known);
  known.set(schema, made);
  return made;
};

/** @type {(root: Schema, schema: Schema, known: Map<any, Schema>) => Schema} */
const joined = (root, schema, known) => {
  const { $ref, allOf, anyOf, oneOf, ...own } = schema;
  /** @type {Schema} */
  let made = own;
  const join = (/** @type {any} */ other) => {
    const part = resolved(root, other, known);
    made = {
      ...part,
      ...made,
      properties: { ...part.properties, ...made.properties },
      required: [...new Set([...(part.required ?? []), ...(made.required ?? [])])],
    };
    if (!Object.keys(made.properties).length) delete made.properties;
    if (!made.required.length) delete made.required;
  };
  if (typeof $ref === "string" && /^#(\/|$)/.test($ref)) join(target(root, $ref));
  for (const part of allOf ?? []) join(part);
  const choices = (anyOf ?? oneOf ?? []).filter((/** @type {any} */ each) => each?.type !== "null");
  if (choices.length === 1) join(choices[0]);
  else if (choices.length && choices.every((/** @type {any} */ each) => "const" in Object(each)))
    made = { ...made, enum: choices.map((/** @type {any} */ each) => each.const) };
  else if (choices.length) return { ...made, type: "any" };
  const types = Array.isArray(made.type) ? made.type.filter((each) => each !== "null") : [];
  if (types.length) made = { ...made, type: types.length === 1 ? types[0] : "any" };
  return made;
};

/** @type {(schema: Schema) => Kind} What kind of control a resolved schema gets. */
export const kindOf = (schema) => {
  if (Array.isArray(schema.enum)) return "enum";
  if ("const" in schema) return "enum";
  const type = schema.type ?? (schema.properties ? "object" : schema.items ? "array" : "any");
  if (type === "integer") return "number";
  if (type === "object") return schema.properties ? "object" : "json";
  if (type === "array") return typeof schema.items === "object" && schema.items ? "array" : "json";
  return ["boolean", "number", "string"].includes(type) ? type : "json";
};

/** @type {(kind: Kind, value: any) => boolean} Whether a kind of control can hold a value. */
export const fits = (kind, value) => {
  if (kind === "array") return Array.isArray(value);
  if (kind === "object")
    return typeof value === "object" && value !== null && !Array.isArray(value);
  return kind === "enum" || kind === "json" || typeof value === kind;
};

/** @type {(schema: Schema) => any[]} The values of a choice. */
export const choicesOf = (schema) => schema.enum ?? [schema.const];

/**
 * A value to begin with: what the schema names, or the least that it takes. `left` counts how many
 * values may still be made.
 * @type {(root: Schema, given: any, name?: string, left?: { values: number }, depth?: number) => any}
 */
export const firstValue = (root, given, name = "", left = { values: MAX_VALUES }, depth = 0) => {
  const schema = resolved(root, given);
  left.values -= 1;
  const isFull = depth > MAX_DEPTH || left.values <= 0;
  const inner = (/** @type {any} */ part, /** @type {string} */ called) =>
    firstValue(root, part, called, left, depth + 1);
  if ("default" in schema) return schema.default;
  if (Array.isArray(schema.examples) && schema.examples.length) return schema.examples[0];
  switch (kindOf(schema)) {
    case "enum":
      return choicesOf(schema)[0];
    case "boolean":
      return false;
    case "number":
      return schema.minimum ?? (schema.exclusiveMinimum ?? -1) + 1;
    case "string":
      return firstText(schema, name);
    case "array": {
      const least = isFull ? 0 : Math.min(schema.minItems ?? 0, left.values);
      return Array.from({ length: least }, () => inner(schema.items, name));
    }
    case "object":
      return Object.fromEntries(
        (isFull ? [] : Object.entries(schema.properties))
          .filter(([each]) => schema.required?.includes(each))
          .map(([each, part]) => [each, inner(part, each)]),
      );
    default:
      return schema.type === "array" ? [] : schema.type === "any" ? null : {};
  }
};

/** @type {{ [format: string]: string }} */
const TEXTS = {
  date: "2026-01-31",
  time: "12:00:00Z",
  "date-time": "2026-01-31T12:00:00Z",
  email: "someone@example.com",
  uri: "https://example.com/",
  "uri-reference": "/",
  uuid: "00000000-0000-4000-8000-000000000000",
};

/** @type {(schema: Schema, name: string) => string} */
const firstText = (schema, name) => {
  const text = TEXTS[schema.format] ?? (schema.title || name || "Text");
  const filled = text.padEnd(Math.min(schema.minLength ?? 0, MAX_TEXT), ".");
  return schema.maxLength === undefined ? filled : filled.slice(0, schema.maxLength);
};
