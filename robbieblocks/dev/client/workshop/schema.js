// What a props schema says of one value, as far as controls need it.

/**
 * @typedef {{ [name: string]: any }} Schema
 * @typedef {"enum" | "boolean" | "number" | "string" | "array" | "object" | "json"} Kind
 */

const MAX_DEPTH = 12;

/** @type {(root: Schema, pointer: string) => any} */
const target = (root, pointer) => {
  /** @type {any} */
  let found = root;
  for (const step of pointer.split("/").slice(1))
    found = found?.[decodeURIComponent(step).replace(/~1/g, "/").replace(/~0/g, "~")];
  return found;
};

/**
 * The schema that decides a value: references followed, `allOf` joined, null left aside.
 * @type {(root: Schema, schema: any, depth?: number) => Schema}
 */
export const resolved = (root, schema, depth = 0) => {
  if (typeof schema !== "object" || schema === null || depth > MAX_DEPTH) return {};
  const { $ref, allOf, anyOf, oneOf, ...own } = schema;
  /** @type {Schema} */
  let made = own;
  const join = (/** @type {any} */ other) => {
    const part = resolved(root, other, depth + 1);
    made = {
      ...part,
      ...made,
      properties: { ...part.properties, ...made.properties },
      required: [...(part.required ?? []), ...(made.required ?? [])],
    };
    if (!Object.keys(made.properties).length) delete made.properties;
    if (!made.required.length) delete made.required;
  };
  if (typeof $ref === "string" && $ref.startsWith("#")) join(target(root, $ref));
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

/** @type {(schema: Schema) => any[]} The values of a choice. */
export const choicesOf = (schema) => schema.enum ?? [schema.const];

/** A value to begin with: what the schema names, or the least that it takes. */
/** @type {(root: Schema, given: any, name?: string, depth?: number) => any} */
export const firstValue = (root, given, name = "", depth = 0) => {
  const schema = resolved(root, given);
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
      const least = depth > MAX_DEPTH ? 0 : (schema.minItems ?? 0);
      return Array.from({ length: least }, () => firstValue(root, schema.items, name, depth + 1));
    }
    case "object":
      return Object.fromEntries(
        (depth > MAX_DEPTH ? [] : Object.entries(schema.properties))
          .filter(([each]) => schema.required?.includes(each))
          .map(([each, part]) => [each, firstValue(root, part, each, depth + 1)]),
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
  const filled = text.padEnd(schema.minLength ?? 0, ".");
  return schema.maxLength === undefined ? filled : filled.slice(0, schema.maxLength);
};
