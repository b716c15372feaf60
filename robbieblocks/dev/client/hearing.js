// Hears what fails in the page, from before its modules run, and keeps it for main.js.

{
  /** @typedef {{
   *   kind: string, name: string, message: string, stack: string, component: string, block: string,
   * }} Failure */

  // As islands.js tells of a block that failed.
  const TOLD = /^RobbieBlocks: block (\S+) \((.+)\) (?:failed|caught|differs|could)/s;
  const MOST = 100;

  /** @type {Failure[]} */
  const failures = [];
  Object.assign(window, { rbDevFailures: failures });

  /** @type {(value: any, most: number) => string} */
  const text = (value, most) => String(value ?? "").slice(0, most);

  /** @type {(kind: string, error: any, place?: string, component?: string, block?: string) => void} */
  const note = (kind, error, place = "", component = "", block = "") => {
    if (failures.length >= MOST) return;
    try {
      failures.push({
        kind,
        name: text(error?.name, 200),
        message: text(error instanceof Error ? error.message : error, 2000),
        stack: text(error?.stack || place, 10000),
        component,
        block,
      });
    } catch {
      return; // What was thrown has no text.
    }
    dispatchEvent(new Event("rb-dev-failed"));
  };

  addEventListener("error", (event) => {
    const { error, message, filename, lineno, colno } = event;
    if (message) note("error", error ?? message, `${filename}:${lineno}:${colno}`);
  });
  addEventListener("unhandledrejection", (event) => note("rejection", event.reason));
  const { error } = console;
  console.error = (...given) => {
    error.apply(console, given);
    const told = TOLD.exec(typeof given[0] === "string" ? given[0] : "");
    if (told) note("error", given[1], "", told[2], told[1]);
  };
}
