// The modules of components and packages: defined once, loaded anew for each block.

import { apply, block, create, define, defineProperty } from "./host.js";
import { provided } from "./react.js";

/** @typedef {(specifier: string) => any} Require */
/** @typedef {(require: Require, module: any, exports: any, globalThis: object) => void} Factory */

/** @type {Map<string, Factory>} */
const factories = new Map();
/** Specifiers of npm packages. @type {Set<string>} */
const packages = new Set();
let expecting = false;

/** Let `__rbDefine` define modules, or not: components must not. @param {boolean} open */
export const expectModules = (open) => {
  expecting = open;
};

// The child process evaluates a script for each module, which calls this.
/** @type {(specifier: string, isPackage: boolean, factory: Factory) => void} */
const defineModule = (specifier, isPackage, factory) => {
  if (!expecting) throw new TypeError("no module is expected");
  factories.set(specifier, factory);
  if (isPackage) packages.add(specifier);
  else packages.delete(specifier);
};
define(globalThis, "__rbDefine", defineModule);

/**
 * A `require` that loads modules for one block only: no other block finds what one has left behind.
 * @type {(react: unknown) => Require}
 */
export const requireFor = (react) => {
  /** @type {Map<string, any>} */
  const loaded = new Map();
  const own = create(globalThis);
  defineProperty(own, "globalThis", { value: own, writable: true, configurable: true });
  /** @type {Require} */
  const load = (specifier) => {
    if (specifier === "react") return react;
    const ready = provided[specifier];
    if (ready !== undefined) return ready;
    const known = loaded.get(specifier);
    if (known !== undefined) return known.exports;
    const factory = factories.get(specifier);
    if (factory === undefined) throw new Error(`Cannot find module '${String(specifier)}'`);
    const module = { exports: {} };
    loaded.set(specifier, module);
    const isPackage = packages.has(specifier);
    if (isPackage) block.loading++;
    // A module that has asked for the browser, and was loaded, is not why something fails later.
    const { browserName } = block;
    try {
      apply(factory, undefined, [load, module, module.exports, own]);
      block.browserName = browserName;
    } finally {
      if (isPackage) block.loading--;
    }
    return module.exports;
  };
  return load;
};
