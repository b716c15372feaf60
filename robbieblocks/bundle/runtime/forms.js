// Keeps forms that are sent before React has hydrated them: it sends them again when it does.
// Pages with such a form load it beside islands.js: it listens before React is there.

// What React writes as the address of a form whose action is a function (react-dom, form replaying).
const UNHYDRATED = "javascript:throw new Error('React form unexpectedly submitted.')";

addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const submitter = event.submitter;
  const own = submitter?.getAttribute("formaction") ?? null;
  if (event.defaultPrevented || (own ?? form.getAttribute("action")) !== UNHYDRATED) return;
  event.preventDefault();
  const data = own === null && submitter ? new FormData(form, submitter) : new FormData(form);
  /** @type {any} */
  const root = document;
  root.$$reactFormReplay ??= [];
  root.$$reactFormReplay.push(form, submitter, data);
});
