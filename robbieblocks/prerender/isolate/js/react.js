// React as components import it: it notes which blocks the browser must hydrate.

import {
  apply,
  block,
  create,
  define,
  defineProperty,
  dom,
  getPrototypeOf,
  jsx,
  ownKeys,
  React,
  server,
  standIn,
} from "./host.js";

/** @typedef {import("./host.js").AnyFunction} AnyFunction */

const AsyncFunction = getPrototypeOf(async () => {});
// Hooks that need no browser: what they return does not change after the first render.
const STATIC_HOOKS = ["useId", "useMemo", "useCallback", "useContext", "useDebugValue", "use"];

// A tree of elements is compared with what a parser makes of the HTML, without what was raw.
/** @type {(props: any) => void} */
const noteRawHtml = (props) => {
  const html = props?.dangerouslySetInnerHTML?.__html;
  if (typeof html !== "string" || !html.includes("<")) return;
  if (block.rawHtml.size === 0) block.rawHtml = new Set();
  block.rawHtml.add(html);
};

// Note what an element says of its block: an event handler, a ref, or an async component.
/** @type {(type: any, props: any) => void} */
const noteElement = (type, props) => {
  if (typeof type === "string") {
    noteRawHtml(props);
    if (block.interactive || props === null || typeof props !== "object") return;
    for (const name in props) {
      const value = props[name];
      if (typeof value === "function" || (name === "ref" && value)) {
        block.interactive = true;
        return;
      }
    }
  } else if (typeof type === "function" && getPrototypeOf(type) === AsyncFunction) {
    block.asyncReason = `<${type.name || "Component"}> is an async function`;
  }
};

/** The same function, which notes that its block is interactive. @param {AnyFunction} original */
const noting = (original) =>
  standIn(original, (...given) => {
    block.interactive = true;
    return original(...given);
  });

/** The same base class, which notes that its block is interactive. @param {any} Original */
const notingClass = (Original) => {
  const Noting = standIn(
    Original,
    /** @type {AnyFunction} */ function (...given) {
      block.interactive = true;
      apply(Original, this, given);
    },
  );
  defineProperty(Noting, "prototype", { value: Original.prototype, writable: false });
  define(Original.prototype, "constructor", Noting);
  return Noting;
};

/** What components get for an export of React. @type {(name: string, value: any) => unknown} */
const reactExport = (name, value) => {
  if (typeof value !== "function") return value;
  if (/^use[A-Z]/.test(name) && !STATIC_HOOKS.includes(name)) return noting(value);
  if (name === "createElement" || name === "cloneElement") {
    return standIn(value, (...given) => {
      noteElement(name === "createElement" ? given[0] : "", given[1]);
      return value(...given);
    });
  }
  if (name === "Component" || name === "PureComponent") return notingClass(value);
  return value;
};

/**
 * A copy of a module's exports without React's internal ones.
 * @type {(module: any, replace: typeof reactExport) => any}
 */
const copied = (module, replace) => {
  /** @type {any} */
  const copy = {};
  for (const name of ownKeys(module)) {
    if (typeof name === "string" && name.startsWith("__")) continue;
    copy[name] = replace(String(name), module[name]);
  }
  return copy;
};

export const watchedReact = copied(React, reactExport);
/** The same without Suspense: what a boundary would catch is thrown. */
export const unguardedReact = { ...watchedReact, Suspense: React.Fragment };

/** @type {any} */
const watchedJsx = { Fragment: jsx.Fragment };
for (const name of ["jsx", "jsxs"]) {
  const make = jsx[name];
  /** @type {AnyFunction} */
  const noting = (type, props, key) => {
    noteElement(type, props);
    return make(type, props, key);
  };
  watchedJsx[name] = noting;
}

/** The modules that no bundle has, by specifier. */
export const provided = create(null);
provided.react = watchedReact;
provided["react-dom"] = copied(dom, (name, value) =>
  name === "useFormState" || name === "useFormStatus" ? noting(value) : value,
);
provided["react/jsx-runtime"] = watchedJsx;
provided["react/jsx-dev-runtime"] = { Fragment: jsx.Fragment, jsxDEV: watchedJsx.jsx };

// What React hands out to components and shares among all that it renders, so that it can be frozen:
// results, errors, and the functions and objects that callbacks are called with. It is found by calling
// each of React's functions with values that note what is done with them.
/** @type {unknown[]} */
export const handedOut = [];
{
  /** @type {AnyFunction} */
  const note = function (...given) {
    handedOut.push(this, ...given);
    return trap;
  };
  /** @type {any} */
  const trap = new Proxy(note, {
    get: (_, name) => (name === Symbol.toPrimitive ? () => "" : trap),
    set: (_, _name, value) => handedOut.push(value) > 0,
  });
  // biome-ignore lint/suspicious/noThenProperty: it stands for a promise, so that React calls it
  const pending = { status: "pending", then: note };
  const GIVEN = [[trap, trap, trap], [pending, trap], [() => pending], [Promise.resolve()]];
  /** Call all functions of a module. @param {any} module */
  const call = (module) => {
    for (const name of ownKeys(module)) {
      for (const given of GIVEN) {
        try {
          handedOut.push(module[name](...given));
        } catch (error) {
          handedOut.push(error);
        }
      }
    }
  };
  const Hooks = () => {
    call(React);
    call(dom);
    return null;
  };
  class Instance extends React.Component {
    constructor(/** @type {unknown} */ props, /** @type {unknown} */ context) {
      super(props, context);
      handedOut.push(this.updater, this.refs, context);
    }
    render() {
      handedOut.push(this.updater, this.context);
      return null;
    }
  }
  const action = Object.assign(() => {}, { $$FORM_ACTION: () => ({ data: { forEach: note } }) });
  for (const type of [Hooks, Instance, "form"]) {
    server.renderToString(React.createElement(type, { action }));
  }
}
