// Saving the props that are shown as an example: a file beside the component's code.

import { element } from "../element.js";

/** @typedef {import("./workshop.js").Component} Component */

/** @type {(title: string) => string} The file's name for a title. */
const nameOf = (title) =>
  title
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");

export class Saving {
  /**
   * @param {() => { component: Component | null, props: any, source: string }} shown
   * @param {(name: string) => void} saved Takes the name of the example that is shown from now on.
   */
  constructor(shown, saved) {
    this.shown = shown;
    this.saved = saved;
    this.title = element("input", { id: "example-title", autocomplete: "off", maxLength: 200 });
    this.button = element("button", { className: "strong", type: "submit", textContent: "Save" });
    this.update = element("button", { type: "button" });
    this.said = element("p", { className: "quiet" });
    this.said.setAttribute("role", "status");
    const label = element("label", { htmlFor: this.title.id, textContent: "Save as an example" });
    const field = element("div", { className: "field" }, label, this.title);
    this.place = element("form", { className: "save" }, field, this.button, this.update, this.said);
    this.title.placeholder = "its title";
    this.place.addEventListener("submit", (event) => {
      event.preventDefault();
      const title = this.title.value.trim();
      if (nameOf(title)) this.send(nameOf(title), title, null);
      else this.say("Write a title with letters or digits.", true);
    });
    this.update.addEventListener("click", () => {
      const example = this.example();
      if (example) this.send(example.name, example.title, example.digest);
    });
  }

  example() {
    const { component, source } = this.shown();
    return component?.examples.find((each) => each.name === source) ?? null;
  }

  draw() {
    const { component } = this.shown();
    const example = this.example();
    this.update.hidden = example === null;
    this.update.textContent = `Update “${example?.title}”`;
    this.place.hidden = !component?.saves;
  }

  /** @type {(name: string, title: string, digest: string | null) => Promise<void>} */
  async send(name, title, digest) {
    const { component, props } = this.shown();
    const body = JSON.stringify({ component: component?.key, name, title, props, digest });
    try {
      const answer = await fetch("/_rb-dev/workshop/example", { method: "POST", body });
      if (!answer.ok) throw new Error(await answer.text());
      const { file, error } = await answer.json();
      if (error) throw new Error(error);
      this.saved(name);
      this.title.value = "";
      this.say(`Saved: ${file}`);
    } catch (error) {
      this.say(/** @type {Error} */ (error).message, true);
    }
  }

  /** @type {(text: string, wrong?: boolean) => void} */
  say(text, wrong = false) {
    this.said.textContent = text;
    this.said.className = wrong ? "error" : "quiet";
  }
}
