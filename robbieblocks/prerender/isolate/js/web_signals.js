// Signals to abort, as browsers have them (DOM 3). No time passes while a page is prerendered, so
// `AbortSignal.timeout` gives a signal that stays quiet.

import { apply, global } from "./host.js";
import { asInBrowsers } from "./web_events.js";

/** @typedef {{ aborted: boolean, reason: unknown, on: any, followers: any[] }} SignalState */

/**
 * The classes, each made once.
 * @param {any} Event
 * @param {any} EventTarget
 */
export const webSignals = (Event, EventTarget) => {
  /** @type {WeakMap<object, SignalState>} */
  const signals = new WeakMap();
  let isMaking = false;
  /** @type {(signal: unknown) => SignalState} */
  const signalState = (signal) => {
    const state = signals.get(/** @type {object} */ (signal));
    if (state === undefined) throw new TypeError("Illegal invocation");
    return state;
  };
  class AbortSignal extends EventTarget {
    constructor() {
      if (!isMaking) throw new TypeError("Illegal constructor");
      super();
      signals.set(this, { aborted: false, reason: undefined, on: null, followers: [] });
      this.addEventListener("abort", (/** @type {unknown} */ event) => {
        const { on } = signalState(this);
        if (typeof on === "function") apply(on, this, [event]);
      });
    }
    get aborted() {
      return signalState(this).aborted;
    }
    get reason() {
      return signalState(this).reason;
    }
    get onabort() {
      return signalState(this).on;
    }
    set onabort(value) {
      signalState(this).on = value ?? null;
    }
    throwIfAborted() {
      const { aborted, reason } = signalState(this);
      if (aborted) throw reason;
    }
    /** @param {unknown} [reason] */
    static abort(reason) {
      const signal = makeSignal();
      abort(signal, reason);
      return signal;
    }
    static timeout() {
      return makeSignal();
    }
    /** @param {Iterable<any>} signals */
    static any(signals) {
      const signal = makeSignal();
      for (const each of signals) {
        const { aborted, reason, followers } = signalState(each);
        if (aborted) {
          abort(signal, reason);
          break;
        }
        followers.push(signal);
      }
      return signal;
    }
  }
  const makeSignal = () => {
    isMaking = true;
    try {
      return new AbortSignal();
    } finally {
      isMaking = false;
    }
  };
  /** @type {(signal: any, reason?: unknown) => void} */
  const abort = (signal, reason) => {
    const state = signalState(signal);
    if (state.aborted) return;
    state.aborted = true;
    state.reason =
      reason === undefined
        ? new global.DOMException("signal is aborted without reason", "AbortError")
        : reason;
    signal.dispatchEvent(new Event("abort"));
    for (const each of state.followers) abort(each, state.reason);
  };

  /** @type {WeakMap<object, AbortSignal>} */
  const controllers = new WeakMap();
  class AbortController {
    constructor() {
      controllers.set(this, makeSignal());
    }
    get signal() {
      const signal = controllers.get(this);
      if (signal === undefined) throw new TypeError("Illegal invocation");
      return signal;
    }
    /** @param {unknown} [reason] */
    abort(reason) {
      abort(this.signal, reason);
    }
  }

  const made = { AbortController, AbortSignal };
  for (const Kind of Object.values(made)) asInBrowsers(Kind);
  return made;
};
