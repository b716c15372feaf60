// Events as browsers have them (DOM 2). Nothing is dispatched but by the block itself.

import { apply, defineProperty, global, readVarying } from "./host.js";

/**
 * @typedef {((event: any) => unknown) | { handleEvent: (event: any) => unknown }} Callback
 * @typedef {{ callback: Callback, capture: boolean, once: boolean, passive: boolean,
 *   removed: boolean }} Listener
 * @typedef {{ target: any, current: any, phase: number, flags: Set<string>, listener: Listener | null,
 *   type: string, init: { bubbles: boolean, cancelable: boolean, composed: boolean } }} EventState
 */

/** Make properties of a class enumerable, as those of browsers are. @type {(Kind: any) => void} */
export const asInBrowsers = (Kind) => {
  for (const name of Reflect.ownKeys(Kind.prototype)) {
    if (name === "constructor" || typeof name === "symbol") continue;
    defineProperty(Kind.prototype, name, { enumerable: true });
  }
  defineProperty(Kind.prototype, Symbol.toStringTag, { value: Kind.name, configurable: true });
};

/** The classes, each made once. */
export const webEvents = () => {
  /** @type {WeakMap<object, EventState>} */
  const events = new WeakMap();
  /** @type {(event: unknown) => EventState} */
  const stateOf = (event) => {
    const state = events.get(/** @type {object} */ (event));
    if (state === undefined) throw new TypeError("Illegal invocation");
    return state;
  };
  const PHASES = { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 };

  class Event {
    /** @param {[type?: string, init?: any]} given */
    constructor(...given) {
      const [type, init] = given;
      if (given.length === 0) throw new TypeError("an Event needs a type");
      const { bubbles = false, cancelable = false, composed = false } = init ?? {};
      events.set(this, {
        target: null,
        current: null,
        phase: 0,
        flags: new Set(),
        listener: null,
        type: String(type),
        init: { bubbles: !!bubbles, cancelable: !!cancelable, composed: !!composed },
      });
      // What no script can set: it belongs to each event, as in browsers.
      defineProperty(this, "isTrusted", { value: false, enumerable: true });
    }
    get type() {
      return stateOf(this).type;
    }
    get target() {
      return stateOf(this).target;
    }
    get srcElement() {
      return stateOf(this).target;
    }
    get currentTarget() {
      return stateOf(this).current;
    }
    get eventPhase() {
      return stateOf(this).phase;
    }
    get bubbles() {
      return stateOf(this).init.bubbles;
    }
    get cancelable() {
      return stateOf(this).init.cancelable;
    }
    get composed() {
      return stateOf(this).init.composed;
    }
    get defaultPrevented() {
      return stateOf(this).flags.has("canceled");
    }
    get returnValue() {
      return !stateOf(this).flags.has("canceled");
    }
    set returnValue(value) {
      if (!value) this.preventDefault();
    }
    get cancelBubble() {
      return stateOf(this).flags.has("stopped");
    }
    set cancelBubble(value) {
      if (value) this.stopPropagation();
    }
    get timeStamp() {
      stateOf(this);
      readVarying();
      return 0;
    }
    composedPath() {
      const { current } = stateOf(this);
      return current === null ? [] : [current];
    }
    stopPropagation() {
      stateOf(this).flags.add("stopped");
    }
    stopImmediatePropagation() {
      stateOf(this).flags.add("stopped").add("ended");
    }
    preventDefault() {
      const { init, listener, flags } = stateOf(this);
      if (init.cancelable && !listener?.passive) flags.add("canceled");
    }
    /** @param {string} type @param {boolean} [bubbles] @param {boolean} [cancelable] */
    initEvent(type, bubbles = false, cancelable = false) {
      const state = stateOf(this);
      if (state.flags.has("dispatched")) return;
      state.type = String(type);
      state.init = { ...state.init, bubbles: !!bubbles, cancelable: !!cancelable };
      for (const flag of ["stopped", "ended", "canceled"]) state.flags.delete(flag);
      state.target = null;
    }
  }
  for (const [name, value] of Object.entries(PHASES)) {
    for (const holder of [Event, Event.prototype]) {
      defineProperty(holder, name, { value, enumerable: true });
    }
  }

  /** @type {WeakMap<object, unknown>} */
  const details = new WeakMap();
  class CustomEvent extends Event {
    /** @param {string} type @param {any} [init] */
    constructor(type, init) {
      super(type, init);
      details.set(this, init?.detail ?? null);
    }
    get detail() {
      stateOf(this);
      return details.get(this);
    }
  }

  /** @type {WeakMap<object, Map<string, Listener[]>>} */
  const targets = new WeakMap();
  /** @type {(target: unknown) => Map<string, Listener[]>} */
  const listenersOf = (target) => {
    const listeners = targets.get(/** @type {object} */ (target));
    if (listeners === undefined) throw new TypeError("Illegal invocation");
    return listeners;
  };
  /** @type {(options: any) => any} */
  const optionsOf = (options) =>
    typeof options === "object" && options !== null ? options : { capture: !!options };
  /** @type {(listeners: Listener[], callback: Callback, capture: boolean) => number} */
  const placeOf = (listeners, callback, capture) =>
    listeners.findIndex((each) => each.callback === callback && each.capture === capture);

  /** Call those of a target that listen to an event. @type {(target: object, event: any) => void} */
  const call = (target, event) => {
    const state = stateOf(event);
    const listeners = listenersOf(target);
    for (const listener of [...(listeners.get(state.type) ?? [])]) {
      if (state.flags.has("ended")) return;
      if (listener.removed) continue;
      const { callback, capture, once } = listener;
      if (once) remove(listeners, state.type, callback, capture);
      state.listener = listener;
      try {
        if (typeof callback === "function") apply(callback, target, [event]);
        else callback.handleEvent(event);
      } catch {
        // A browser reports it, and goes on with the next one.
      }
      state.listener = null;
    }
  };
  /** @type {(all: Map<string, Listener[]>, type: string, it: Callback, capture: boolean) => void} */
  const remove = (all, type, callback, capture) => {
    const listeners = all.get(type) ?? [];
    const at = placeOf(listeners, callback, capture);
    if (at === -1) return;
    for (const removed of listeners.splice(at, 1)) removed.removed = true;
  };

  class EventTarget {
    constructor() {
      targets.set(this, new Map());
    }
    /** @param {string} type @param {Callback | null} callback @param {any} [options] */
    addEventListener(type, callback, options) {
      const all = listenersOf(this);
      const { capture, once, passive, signal } = optionsOf(options);
      if (callback === null || callback === undefined || signal?.aborted) return;
      const listeners = all.get(String(type)) ?? [];
      all.set(String(type), listeners);
      if (placeOf(listeners, callback, !!capture) !== -1) return;
      const added = { callback, capture: !!capture, once: !!once, passive: !!passive };
      listeners.push({ ...added, removed: false });
      signal?.addEventListener("abort", () => {
        remove(all, String(type), callback, !!capture);
      });
    }
    /** @param {string} type @param {Callback | null} callback @param {any} [options] */
    removeEventListener(type, callback, options) {
      const all = listenersOf(this);
      if (callback) remove(all, String(type), callback, !!optionsOf(options).capture);
    }
    /** @param {any} event */
    dispatchEvent(event) {
      const all = listenersOf(this);
      const state = stateOf(event);
      if (state.flags.has("dispatched")) {
        throw new global.DOMException("The event is being dispatched.", "InvalidStateError");
      }
      state.flags.add("dispatched");
      Object.assign(state, { target: this, current: this, phase: PHASES.AT_TARGET });
      if (all.size > 0 && !state.flags.has("stopped")) call(this, event);
      Object.assign(state, { current: null, phase: PHASES.NONE });
      for (const flag of ["dispatched", "stopped", "ended"]) state.flags.delete(flag);
      return !state.flags.has("canceled");
    }
  }

  const made = { Event, CustomEvent, EventTarget };
  for (const Kind of Object.values(made)) asInBrowsers(Kind);
  return made;
};
