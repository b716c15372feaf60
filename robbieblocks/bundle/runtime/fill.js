// Fills placeholders of props from the URL's query. Only pages whose islands have placeholders name it
// in their import maps, and only a visit with a query loads it.

const PLACEHOLDER = /\{\{\{\{|\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*(?:\|([^{}]*))?\}\}/g;
const query = new URLSearchParams(location.search);

/** @type {(text: string) => string} The site to which a text leads as an address, "" for none. */
const site = (text) => {
  try {
    const { protocol, origin } = new URL(text, location.href);
    return protocol + origin;
  } catch {
    return "";
  }
};

/** @type {(text: string, query: URLSearchParams) => string} */
const filledText = (text, query) =>
  text.replace(PLACEHOLDER, (_, name, fallback = "") =>
    name ? query.get(name) || fallback.trim() : "{{",
  );

/** @type {(value: any) => any} A value with its placeholders filled. */
const filled = (value) => {
  if (typeof value === "string") {
    const text = filledText(value, query);
    if (text === value) return text;
    // A visitor's text may be anything but the address of another site, or a script as an address.
    const usual = filledText(value, new URLSearchParams());
    return site(text) === site(usual) ? text : usual;
  }
  if (Array.isArray(value)) return value.map(filled);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner)]));
};

/** @type {(value: object) => object | undefined} The props filled; undefined where the query has none of them. */
export const filledProps = (value) => {
  for (const [, name] of JSON.stringify(value).matchAll(PLACEHOLDER))
    if (name && query.get(name)) return filled(value);
  return undefined;
};
