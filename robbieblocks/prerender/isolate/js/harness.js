// Evaluated once in a fresh isolate, after React. Its value is the object of functions through
// which the child drives it; nothing of it can be reached from component code.
(() => {
  "use strict";

  // The frozen clock: every build of equal rows gives equal bytes, on any day.
  const NOW = Date.UTC(2025, 0, 1);
  const LOCALE = "en-US";
  const SLICE_MS = 250;

  const { React, server, jsx, dom = {} } = globalThis.__rb;
  const { apply, construct, ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const { freeze, create, getPrototypeOf } = Object;
  const RealDate = Date;
  const realNow = Date.now;
  const parse = JSON.parse;
  const stringify = JSON.stringify;
  const AsyncFunction = getPrototypeOf(async () => {});

  // --- what the block that is being rendered has done ---------------------------------------

  let interactive = false;
  let volatile = false;
  let browserName = "";
  let waits = "";
  let loading = 0;
  const touch = () => { if (loading === 0) volatile = true; };

  // --- randomness: sfc32, started afresh for each block ------------------------------------

  let a, b, c, d;
  const reseed = () => { a = 0x9e3779b9; b = 0x243f6a88; c = 0xb7e15162; d = 1; };
  const random32 = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t | 0;
    return t >>> 0;
  };
  reseed();

  const define = (target, name, value) =>
    defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });

  // A function that stands in for `original`: same name and length.
  const standIn = (original, replacement) => {
    for (const name of ["name", "length"]) {
      const value = getOwnPropertyDescriptor(original, name);
      if (value) defineProperty(replacement, name, value);
    }
    return replacement;
  };
  const wrapMethod = (target, name, make) => {
    const original = target[name];
    if (typeof original === "function") define(target, name, standIn(original, make(original)));
  };

  // --- clock ------------------------------------------------------------------------------

  const ZONED = /^\s*[+-]?\d{4,6}(-\d\d(-\d\d)?)?\s*$|(Z|GMT|UTC|[+-]\d\d:?\d\d)\s*$/i;
  const FrozenDate = standIn(RealDate, function Date(...given) {
    if (!new.target) { touch(); return new RealDate(NOW).toString(); }
    if (given.length === 0) { touch(); given = [NOW]; }
    // Several numbers, or a text without an offset, are read in the visitor's time zone.
    else if (given.length > 1 || (typeof given[0] === "string" && !ZONED.test(given[0]))) touch();
    return construct(RealDate, given, new.target === FrozenDate ? RealDate : new.target);
  });
  define(FrozenDate, "now", standIn(realNow, () => { touch(); return NOW; }));
  define(FrozenDate, "parse", standIn(RealDate.parse, (text) => {
    if (!ZONED.test(text)) touch();
    return RealDate.parse(text);
  }));
  define(FrozenDate, "UTC", RealDate.UTC);
  defineProperty(FrozenDate, "prototype", { value: RealDate.prototype, writable: false });
  define(RealDate.prototype, "constructor", FrozenDate);
  for (const name of ownKeys(RealDate.prototype)) {
    if (typeof name !== "string") continue;
    const local = /^(get|set)(?!Time$|UTC)/.test(name) || /^to(Date|Time)?String$/.test(name);
    if (!local) continue;
    wrapMethod(RealDate.prototype, name, (original) => function (...given) {
      touch();
      return apply(original, this, given);
    });
  }
  define(globalThis, "Date", FrozenDate);
  define(Math, "random", standIn(Math.random, () => { touch(); return random32() / 4294967296; }));
  define(globalThis, "performance", {
    timeOrigin: NOW,
    now() { touch(); return 0; },
    mark() {}, measure() {}, clearMarks() {}, clearMeasures() {}, getEntriesByName() { return []; },
  });
  const HEX = "0123456789abcdef";
  define(globalThis, "crypto", {
    getRandomValues(view) {
      touch();
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      for (let i = 0; i < bytes.length; i++) bytes[i] = random32();
      return view;
    },
    randomUUID() {
      touch();
      return "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () => HEX[random32() & 15]);
    },
  });

  // --- locale: none named means the visitor's ----------------------------------------------

  const localised = (locales) => {
    if (locales !== undefined && !(Array.isArray(locales) && locales.length === 0)) return locales;
    touch();
    return LOCALE;
  };
  for (const [target, name] of [
    [Number.prototype, "toLocaleString"], [BigInt.prototype, "toLocaleString"],
    [String.prototype, "toLocaleUpperCase"], [String.prototype, "toLocaleLowerCase"],
    [Array.prototype, "toLocaleString"], [getPrototypeOf(Uint8Array.prototype), "toLocaleString"],
  ]) {
    wrapMethod(target, name, (original) => function (locales, ...rest) {
      return apply(original, this, [localised(locales), ...rest]);
    });
  }
  wrapMethod(String.prototype, "localeCompare", (original) => function (that, locales, ...rest) {
    return apply(original, this, [that, localised(locales), ...rest]);
  });
  for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) {
    wrapMethod(RealDate.prototype, name, (original) => function (locales, ...rest) {
      touch(); // the time zone and the visitor's version of ICU show in it as well
      return apply(original, this, [localised(locales), ...rest]);
    });
  }
  for (const name of ownKeys(Intl)) {
    const Original = Intl[name];
    if (typeof Original !== "function" || !Original.prototype) continue;
    const Localised = standIn(Original, function (locales, ...rest) {
      if (name === "DateTimeFormat") touch();
      const given = [localised(locales), ...rest];
      return new.target
        ? construct(Original, given, new.target === Localised ? Original : new.target)
        : apply(Original, this, given);
    });
    if (name === "Locale") continue;
    for (const key of ownKeys(Original)) {
      if (key === "supportedLocalesOf") define(Localised, key, Original[key]);
    }
    defineProperty(Localised, "prototype", { value: Original.prototype, writable: false });
    define(Original.prototype, "constructor", Localised);
    define(Intl, name, Localised);
  }

  // --- what isn't there ---------------------------------------------------------------------

  const KEPT = new Set(("Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean " +
    "String Symbol Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError " +
    "SyntaxError TypeError URIError SuppressedError globalThis JSON Math Intl ArrayBuffer DataView " +
    "Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float16Array Float32Array " +
    "Float64Array Uint8ClampedArray BigUint64Array BigInt64Array Map BigInt Set Iterator WeakMap WeakSet " +
    "Proxy Reflect decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval " +
    "isFinite isNaN performance crypto").split(" "));
  for (const name of ownKeys(globalThis)) {
    if (KEPT.has(name) || Reflect.deleteProperty(globalThis, name)) continue;
    globalThis[name] = undefined; // mini-racer's timers are declared with var
  }
  // Garbage collection is not to be observed: references are strong, nothing is ever finalised.
  define(globalThis, "WeakRef", class WeakRef { #it; constructor(it) { this.#it = it; } deref() { return this.#it; } });
  define(globalThis, "FinalizationRegistry", class FinalizationRegistry { register() {} unregister() { return false; } });
  define(globalThis, "queueMicrotask", (task) => { Promise.resolve().then(task); });
  for (const name of ["input", "$_", "lastMatch", "$&", "lastParen", "$+", "leftContext", "$`",
    "rightContext", "$'", "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9"]) {
    delete RegExp[name]; // they would carry text from one block to the next
  }
  const quiet = {};
  for (const name of ["log", "info", "debug", "warn", "error", "trace", "dir", "table", "group", "groupCollapsed",
    "groupEnd", "time", "timeEnd", "timeLog", "count", "countReset", "assert", "clear"]) quiet[name] = () => {};
  define(globalThis, "console", quiet);
  // `typeof window` asks "am I in a browser?": the answer differs there, so the block is volatile.
  for (const name of ["window", "document", "navigator", "location", "localStorage", "sessionStorage",
    "matchMedia", "screen", "history", "innerWidth", "innerHeight", "devicePixelRatio"]) {
    defineProperty(globalThis, name, {
      get() { if (loading === 0) { volatile = true; browserName = name; } return undefined; },
      enumerable: false, configurable: false,
    });
  }
  // Two of them answer `typeof` as absent but are functions where they exist.
  const later = (name) => () => { throw new Error(`${name} is not there while a page is prerendered`); };
  for (const name of ["setTimeout", "setInterval", "requestAnimationFrame", "fetch"]) {
    globalThis[name] = later(name);
  }
  for (const name of ["clearTimeout", "clearInterval", "cancelAnimationFrame"]) {
    globalThis[name] = () => {};
  }

  // --- React, watched -----------------------------------------------------------------------

  const INERT = new Set(["useId", "useMemo", "useCallback", "useContext", "useDebugValue", "use"]);
  const watchElement = (type, props) => {
    if (typeof type === "string") {
      if (interactive || props === null || typeof props !== "object") return;
      for (const name in props) {
        const value = props[name];
        if (typeof value === "function" || (name === "ref" && value)) { interactive = true; return; }
      }
    } else if (typeof type === "function" && getPrototypeOf(type) === AsyncFunction) {
      waits = `<${type.name || "Component"}> is an async function`;
    }
  };
  const watched = {};
  for (const name of ownKeys(React)) {
    const value = React[name];
    if (typeof name === "string" && name.startsWith("__")) continue;
    if (typeof value !== "function") watched[name] = value;
    else if (/^use[A-Z]/.test(name) && !INERT.has(name)) {
      watched[name] = standIn(value, (...given) => { interactive = true; return value(...given); });
    } else if (name === "createElement" || name === "cloneElement") {
      watched[name] = standIn(value, (...given) => {
        watchElement(name === "createElement" ? given[0] : "", given[1]);
        return value(...given);
      });
    } else if (name === "Component" || name === "PureComponent") {
      const Watched = standIn(value, function (...given) { interactive = true; apply(value, this, given); });
      defineProperty(Watched, "prototype", { value: value.prototype, writable: false });
      define(value.prototype, "constructor", Watched);
      watched[name] = Watched;
    } else watched[name] = value;
  }
  const watchedJsx = { Fragment: jsx.Fragment };
  for (const name of ["jsx", "jsxs"]) {
    const make = jsx[name];
    watchedJsx[name] = (type, props, key) => { watchElement(type, props); return make(type, props, key); };
  }
  const provided = create(null);
  provided["react"] = watched;
  provided["react-dom"] = {};
  for (const name of ownKeys(dom)) {
    const value = dom[name];
    if (typeof name === "string" && name.startsWith("__")) continue;
    provided["react-dom"][name] = name === "useFormState" || name === "useFormStatus"
      ? standIn(value, (...given) => { interactive = true; return value(...given); })
      : value;
  }
  // The same without Suspense: what a boundary keeps to itself comes out.
  const unguarded = { ...watched, Suspense: React.Fragment };
  provided["react/jsx-runtime"] = watchedJsx;
  provided["react/jsx-dev-runtime"] = { Fragment: jsx.Fragment, jsxDEV: watchedJsx.jsx };

  // React shares a few objects among all that it renders: catch them, so that they are frozen too.
  const shared = [];
  {
    class Probe extends React.Component {
      constructor(props, context) { super(props, context); shared.push(context); }
      render() { shared.push(this.updater, this.refs, this.context); return null; }
    }
    const Hooks = () => {
      for (const hook of [() => React.useTransition()[1], () => React.useOptimistic(0)[1],
        () => React.useEffectEvent?.(() => 0), () => React.useCacheRefresh?.()]) {
        try { shared.push(hook()); } catch { /* a hook that this React has not got */ }
      }
      return null;
    };
    server.renderToString(React.createElement(React.Fragment, null,
      React.createElement(Probe), React.createElement(Hooks)));
  }

  // --- modules -------------------------------------------------------------------------------

  const factories = new Map();
  const vendor = new Set();
  let expecting = false;
  // What a module's script says, once evaluated: the factory, and whether it is a package's, which
  // may read the clock while it loads.
  define(globalThis, "__rbDefine", (specifier, isVendor, factory) => {
    if (!expecting) throw new TypeError("no module is expected");
    factories.set(specifier, factory);
    if (isVendor) vendor.add(specifier); else vendor.delete(specifier);
  });

  // --- freeze everything that blocks share --------------------------------------------------

  // A frozen prototype's property can't be shadowed by assignment; libraries do that to these.
  const shadowable = (target, names) => {
    for (const name of names) {
      const current = getOwnPropertyDescriptor(target, name);
      if (!current || !("value" in current) || !current.configurable) continue;
      const { value, enumerable } = current;
      defineProperty(target, name, {
        get() { return value; },
        set(next) {
          if (this === target) throw new TypeError(`Cannot change ${String(name)}: all blocks share it`);
          if (this === null || (typeof this !== "object" && typeof this !== "function")) return;
          defineProperty(this, name, { value: next, writable: true, enumerable: true, configurable: true });
        },
        enumerable,
        configurable: false,
      });
    }
  };
  shadowable(Object.prototype, ownKeys(Object.prototype).filter((name) => name !== "__proto__"));
  shadowable(Function.prototype, ["constructor", "toString", "name", "bind", "call", "apply"]);
  for (const Kind of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError]) {
    shadowable(Kind.prototype, ["constructor", "name", "message", "toString"]);
  }
  for (const Kind of [Array, Map, Set, WeakMap, Promise, RegExp, RealDate, Iterator, React.Component, React.PureComponent]) {
    shadowable(Kind.prototype, ["constructor", "toString", "toJSON", "then", "next", "return", "setState"]);
  }
  const frozen = new WeakSet();
  const harden = (roots) => {
    const pending = [...roots];
    while (pending.length > 0) {
      const it = pending.pop();
      if (it === null || (typeof it !== "object" && typeof it !== "function") || frozen.has(it)) continue;
      frozen.add(it);
      for (const name of ownKeys(it)) {
        const property = getOwnPropertyDescriptor(it, name);
        if ("value" in property) pending.push(property.value);
        else pending.push(property.get, property.set);
      }
      pending.push(getPrototypeOf(it));
      if (it !== globalThis) freeze(it);
    }
  };
  const segments = new Intl.Segmenter(LOCALE).segment("a");
  function* generator() {}
  async function* asyncGenerator() {}
  Error.stackTraceLimit = 60; // vendor frames must not hide the component's
  harden([
    globalThis, provided, watched, unguarded, watchedJsx, ...shared,
    generator, generator(), asyncGenerator, asyncGenerator(), async () => {},
    [][Symbol.iterator](), new Map()[Symbol.iterator](), new Set()[Symbol.iterator](), ""[Symbol.iterator](),
    "a".matchAll(/a/g), Iterator.from?.({ next() {} }), [].values().map?.((x) => x), freeze([]), new Int8Array(), segments, segments[Symbol.iterator](),
    typeof __TimerManager === "function" ? __TimerManager : null,
  ]);
  for (const name of ownKeys(globalThis)) {
    const property = getOwnPropertyDescriptor(globalThis, name);
    defineProperty(globalThis, name, "value" in property
      ? { writable: false, configurable: false } : { configurable: false });
  }
  Object.preventExtensions(globalThis);

  // --- rendering -----------------------------------------------------------------------------

  const BOUND = freeze({ html: 4_000_000 });

  // One block's own copies of every module: what one render leaves behind, no other can find.
  const instances = (react) => {
    const made = new Map();
    const own = create(globalThis);
    defineProperty(own, "globalThis", { value: own, writable: true, configurable: true });
    const load = (specifier) => {
      if (specifier === "react") return react;
      const ready = provided[specifier];
      if (ready !== undefined) return ready;
      const known = made.get(specifier);
      if (known !== undefined) return known.exports;
      const factory = factories.get(specifier);
      if (factory === undefined) throw new Error(`Cannot find module '${String(specifier)}'`);
      const module = { exports: {} };
      made.set(specifier, module);
      const isVendor = vendor.has(specifier);
      if (isVendor) loading++;
      try {
        apply(factory, undefined, [load, module, module.exports, own]);
      } finally {
        if (isVendor) loading--;
      }
      return module.exports;
    };
    return load;
  };

  // Proves that HTML keeps to its wrapper, for what nearly every block is made of: known elements,
  // each closed in order, no text that a parser could take for a tag. What it can't prove, the
  // child asks a real parser about.
  const ORDINARY = new Set(("div span section article header footer main nav aside h1 h2 h3 h4 h5 h6 p ul ol li dl dt dd a " +
    "button img br hr input label strong em b i u s small sub sup code kbd pre blockquote figure figcaption time mark " +
    "abbr cite q canvas video audio source picture form fieldset legend output progress meter details summary dialog " +
    "svg path circle ellipse rect g line polyline polygon defs use").split(" "));
  const VOID = new Set(["img", "br", "hr", "input", "source"]);
  const CLOSES_P = new Set(("div section article header footer main nav aside h1 h2 h3 h4 h5 h6 p ul ol dl hr pre " +
    "blockquote figure figcaption form fieldset details summary dialog").split(" "));
  // Attributes and the end of an opening tag, after its name; and what React writes as comments.
  const REST = /((?: [A-Za-z][A-Za-z0-9:_-]*(?:="[^"<>]*")?)*)(\/?)>/y;
  const COMMENT = /<!--\/?[$&!?]?-->/y;
  const NAME = /[a-z][a-z0-9]*/y;
  const RESERVED = / (?:id="(?:b\d+|rb-[^"]*)"|data-rb-)/;
  const match = (pattern, html, at) => { pattern.lastIndex = at; return pattern.exec(html); };
  let misnested = false;
  const contained = (html) => {
    const open = [];
    misnested = false;
    let at = html.indexOf("<");
    while (at !== -1) {
      const next = html.charCodeAt(at + 1);
      if (next === 47) { // a slash: it must close what was opened last
        const name = open.pop();
        if (name === undefined || !html.startsWith(name, at + 2)) return false;
        at += 2 + name.length;
        if (html.charCodeAt(at) !== 62) return false;
      } else if (next === 33) { // an exclamation mark
        if (html.startsWith("<!-- -->", at)) at += 7;
        else {
          const comment = match(COMMENT, html, at);
          if (comment === null) return false;
          at += comment[0].length - 1;
        }
      } else {
        let end = html.indexOf(">", at + 1);
        if (end === -1) return false;
        let name = html.slice(at + 1, end);
        let closed = false;
        if (!ORDINARY.has(name)) { // it has attributes, or can't be proven
          const found = match(NAME, html, at + 1);
          if (found === null || !ORDINARY.has(name = found[0])) return false;
          const rest = match(REST, html, at + 1 + name.length);
          if (rest === null || (rest[1] !== "" && RESERVED.test(rest[1]))) return false;
          closed = rest[2] !== "";
          end = at + name.length + rest[0].length;
        }
        if (CLOSES_P.has(name) && open.includes("p")) misnested = true;
        else if ((name === "a" || name === "button" || name === "form") && open.includes(name)) misnested = true;
        if (!VOID.has(name)) {
          // Only inside svg does "/>" close an element.
          if (!closed) open.push(name);
          else if (!open.includes("svg")) return false;
        }
        at = end;
      }
      at = html.indexOf("<", at + 1);
    }
    return open.length === 0;
  };

  const text = (value, limit) => {
    let said;
    try { said = String(value); } catch { said = "(a value that can't be shown)"; }
    return said.toWellFormed().slice(0, limit);
  };
  const read = (value, name) => {
    try { return value[name]; } catch { return undefined; }
  };
  const failure = (error) => {
    const isError = typeof error === "object" && error !== null;
    const name = isError ? text(read(error, "name") ?? "Error", 60) : "";
    const message = isError ? text(read(error, "message") ?? "", 800) : `it threw ${text(error, 700)}`;
    const stack = isError ? text(read(error, "stack") ?? "", 20_000) : "";
    return { name, message, stack, browser: browserName };
  };

  const PRELOADS = /^(?:<link rel="preload"[^<>]*\/>)+/;
  const renderTree = (component, props, prefix, react) => {
    reseed();
    const Component = instances(react)(component).default;
    if (Component === undefined || Component === null) {
      throw new TypeError("the module exports no component");
    }
    const html = server.renderToString(watched.createElement(Component, parse(props)), { identifierPrefix: prefix });
    if (waits) throw new Error(`${waits}; React runs those on servers only`);
    if (html.length > BOUND.html) {
      throw new RangeError(`the HTML is ${html.length} characters long; a block may have ${BOUND.html}`);
    }
    return html;
  };
  const renderOne = (component, props, prefix) => {
    interactive = false; volatile = false; browserName = ""; waits = ""; loading = 0;
    try {
      let html = renderTree(component, props, prefix, watched);
      if (html.startsWith("<link rel=\"preload\"")) html = html.replace(PRELOADS, "");
      if (html.includes("<!--$!-->")) {
        // A Suspense boundary shows its fallback: right where something is waited for, which the
        // browser then does; an error to tell where something was thrown.
        try {
          renderTree(component, props, prefix, unguarded);
        } catch (error) {
          if (waits || !/error #(426|460|482);/.test(text(read(error, "message"), 300))) throw error;
        }
        interactive = true;
        volatile = true;
      }
      // Text that isn't well-formed UTF-16 has no UTF-8; HTML has no NUL.
      html = html.toWellFormed();
      if (html.includes("\0")) html = html.replaceAll("\0", "\uFFFD");
      const proven = contained(html);
      // The browser's tree differs from React's then: hydrating would fail, rendering afresh won't.
      if (misnested && interactive) volatile = true;
      return [html, (interactive ? 1 : 0) | (volatile ? 2 : 0) | (proven ? 4 : 0)];
    } catch (error) {
      return [null, failure(waits ? new Error(`${waits}; React runs those on servers only`) : error)];
    }
  };

  let results = [];
  return freeze({
    /** Have __rbDefine take factories, or take none: components must not find it open. */
    expect(open) { expecting = open; },
    /** Render until done or a time slice is over: "<how many> <1 if all is proven> <results, JSON>". */
    render(jobs) {
      results = [];
      let proven = 1;
      const until = realNow() + SLICE_MS;
      for (const [component, props, prefix] of parse(jobs)) {
        const result = renderOne(component, props, prefix);
        results.push(result);
        if (result[0] !== null && (result[1] & 4) === 0) proven = 0;
        if (realNow() >= until) break;
      }
      return `${results.length} ${proven} ${stringify(results)}`;
    },
    /** The results of a render that was stopped: the job after the last of them is to blame. */
    partial() { return stringify(results); },
    /** Nothing: when it returns, the microtasks that the blocks left behind have run. */
    settle() {},
  });
})()
