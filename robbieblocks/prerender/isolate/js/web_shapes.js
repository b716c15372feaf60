// Points and rectangles as browsers have them (Geometry Interfaces), and CSS.escape (CSSOM).

import { readVarying } from "./host.js";
import { asInBrowsers } from "./web_events.js";

/** @type {(given: unknown, otherwise: number) => number} */
const numberOr = (given, otherwise) => (given === undefined ? otherwise : Number(given));

const points = () => {
  class DOMPointReadOnly {
    /** @type {number[]} */
    #at;
    /** @param {number} [x] @param {number} [y] @param {number} [z] @param {number} [w] */
    constructor(x, y, z, w) {
      this.#at = [numberOr(x, 0), numberOr(y, 0), numberOr(z, 0), numberOr(w, 1)];
    }
    get x() {
      return this.#at[0];
    }
    get y() {
      return this.#at[1];
    }
    get z() {
      return this.#at[2];
    }
    get w() {
      return this.#at[3];
    }
    toJSON() {
      const [x, y, z, w] = this.#at;
      return { x, y, z, w };
    }
    /** @param {any} [from] */
    static fromPoint(from) {
      const { x, y, z, w } = from ?? {};
      return new DOMPointReadOnly(x, y, z, w);
    }
    /** @param {DOMPointReadOnly} it */
    static numbers(it) {
      return it.#at;
    }
  }
  const { numbers } = DOMPointReadOnly;
  Reflect.deleteProperty(DOMPointReadOnly, "numbers");
  class DOMPoint extends DOMPointReadOnly {
    /** @override @param {any} [from] */
    static fromPoint(from) {
      const { x, y, z, w } = from ?? {};
      return new DOMPoint(x, y, z, w);
    }
  }
  makeWritable(DOMPoint, DOMPointReadOnly, ["x", "y", "z", "w"], numbers);
  return { DOMPointReadOnly, DOMPoint };
};

const rectangles = () => {
  class DOMRectReadOnly {
    /** @type {number[]} */
    #at;
    /** @param {number} [x] @param {number} [y] @param {number} [width] @param {number} [height] */
    constructor(x, y, width, height) {
      this.#at = [x, y, width, height].map((each) => numberOr(each, 0));
    }
    get x() {
      return this.#at[0];
    }
    get y() {
      return this.#at[1];
    }
    get width() {
      return this.#at[2];
    }
    get height() {
      return this.#at[3];
    }
    get top() {
      return Math.min(this.y, this.y + this.height);
    }
    get right() {
      return Math.max(this.x, this.x + this.width);
    }
    get bottom() {
      return Math.max(this.y, this.y + this.height);
    }
    get left() {
      return Math.min(this.x, this.x + this.width);
    }
    toJSON() {
      const { x, y, width, height, top, right, bottom, left } = this;
      return { x, y, width, height, top, right, bottom, left };
    }
    /** @param {any} [from] */
    static fromRect(from) {
      const { x, y, width, height } = from ?? {};
      return new DOMRectReadOnly(x, y, width, height);
    }
    /** @param {DOMRectReadOnly} it */
    static numbers(it) {
      return it.#at;
    }
  }
  const { numbers } = DOMRectReadOnly;
  Reflect.deleteProperty(DOMRectReadOnly, "numbers");
  class DOMRect extends DOMRectReadOnly {
    /** @override @param {any} [from] */
    static fromRect(from) {
      const { x, y, width, height } = from ?? {};
      return new DOMRect(x, y, width, height);
    }
  }
  makeWritable(DOMRect, DOMRectReadOnly, ["x", "y", "width", "height"], numbers);
  return { DOMRectReadOnly, DOMRect };
};

/**
 * Have a class set the numbers that its base class only shows.
 * @type {(Kind: any, Base: any, names: string[], numbers: (it: any) => number[]) => void}
 */
const makeWritable = (Kind, Base, names, numbers) => {
  for (const [place, name] of names.entries()) {
    Object.defineProperty(Kind.prototype, name, {
      get: Object.getOwnPropertyDescriptor(Base.prototype, name)?.get,
      set(value) {
        numbers(this)[place] = Number(value);
      },
      enumerable: true,
      configurable: true,
    });
  }
};

const IDENT = /[\w\u0080-\uffff-]/;
/** A text as a name in CSS (CSSOM, serialize an identifier). @param {unknown} given */
const escaped = (given) => {
  const text = String(given);
  if (text === "-") return "\\-";
  let made = "";
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    const isFirst = at === 0 || (at === 1 && text[0] === "-");
    if (letter === "\0") made += "\ufffd";
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are written as numbers
    else if (/[\x01-\x1f\x7f]/.test(letter) || (isFirst && /[0-9]/.test(letter))) {
      made += `\\${letter.charCodeAt(0).toString(16)} `;
    } else made += IDENT.test(letter) ? letter : `\\${letter}`;
  }
  return made;
};

/** The classes, and `CSS`, each made once. */
export const webShapes = () => {
  const shapes = { ...points(), ...rectangles() };
  for (const Kind of Object.values(shapes)) asInBrowsers(Kind);
  const CSS = {
    escape: escaped,
    // Which CSS it has, each browser says for itself.
    supports() {
      readVarying();
      return false;
    },
  };
  Object.defineProperty(CSS, Symbol.toStringTag, { value: "CSS", configurable: true });
  return { ...shapes, CSS };
};
