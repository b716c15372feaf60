// Values in the props, by where they lie.

/** @typedef {(string | number)[]} Path */

/** @type {(path: Path) => string} As JSON pointers name it. */
export const pointerOf = (path) =>
  path.map((step) => `/${String(step).replace(/~/g, "~0").replace(/\//g, "~1")}`).join("");

/** @type {(holder: any, path: Path) => any} */
export const valueAt = (holder, path) => path.reduce((found, step) => found?.[step], holder);

/** @type {(holder: any, path: Path, value: any) => any} A copy with another value in one place. */
export const withValue = (holder, [step, ...rest], value) => {
  if (step === undefined) return value;
  const copy = Array.isArray(holder) ? [...holder] : { ...holder };
  const inner = withValue(copy[step], rest, value);
  if (inner !== undefined) copy[step] = inner;
  else if (Array.isArray(copy)) copy.splice(Number(step), 1);
  else delete copy[step];
  return copy;
};

/** @type {(one: any, other: any) => boolean} Whether values are equal, in whatever order of names. */
export const areEqual = (one, other) => ordered(one) === ordered(other);

/** @type {(value: any) => string} */
const ordered = (value) =>
  JSON.stringify(value, (_, each) =>
    each && typeof each === "object" && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
