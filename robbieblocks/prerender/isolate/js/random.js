// Random numbers that are the same in every build: sfc32, started afresh for each block.

import { readVarying } from "./block.js";
import { define, standIn } from "./host.js";

/** @type {number} */
let a;
/** @type {number} */
let b;
/** @type {number} */
let c;
/** @type {number} */
let d;

export const reseed = () => {
  a = 0x9e3779b9;
  b = 0x243f6a88;
  c = 0xb7e15162;
  d = 1;
};

const random32 = () => {
  const t = (((a + b) | 0) + d) | 0;
  d = (d + 1) | 0;
  a = b ^ (b >>> 9);
  b = (c + (c << 3)) | 0;
  c = (((c << 21) | (c >>> 11)) + t) | 0;
  return t >>> 0;
};

reseed();

const randomUnit = () => {
  readVarying();
  return random32() / 4294967296;
};
define(Math, "random", standIn(Math.random, randomUnit));

const HEX = "0123456789abcdef";
define(globalThis, "crypto", {
  /** @param {ArrayBufferView} view */
  getRandomValues(view) {
    readVarying();
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = random32();
    return view;
  },
  randomUUID() {
    readVarying();
    return "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () => HEX[random32() & 15]);
  },
});
