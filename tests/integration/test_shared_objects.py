"""What blocks of one isolate share: nothing that one of them leaves there reaches another."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from robbieblocks.model import RenderJob
from robbieblocks.prerender import Prerenderer
from tests.pages import Press, component

# Gathers what the language, React and its hooks hand to a component: results, thrown errors, `this`
# and arguments of callbacks, and all that leads on from them. In "mark" it writes "secret" to every
# property of each and adds one more; in "look" it names where it finds that.
GATHERS = """import * as React from "react"; import * as dom from "react-dom";

const got = [];
const trap = new Proxy(function () {}, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => "x" : trap),
  apply(_, self, given) { got.push(self, ...given); return trap; },
  construct(_, given) { got.push(...given); return {}; },
  set(_, name, value) { got.push(value); return true; },
});
const note = (...given) => { got.push(...given); };
const pending = () => ({ status: "pending", then: trap });
const ARGUMENTS = () => [
  [], [trap, trap, trap, trap], [pending(), trap], [() => pending(), trap], [{ then: trap }, trap],
  [[pending(), { then: trap }], trap], [trap, { get as() { got.push(this); } }],
  [new Promise(() => 0)], [{ nodeType: 1 }, { nodeType: 1 }],
];
const gather = (module) => {
  for (const name of Object.keys(module)) {
    for (const given of ARGUMENTS()) {
      for (const call of [() => module[name](...given), () => new module[name](...given)]) {
        try { got.push(call()); } catch (error) { got.push(error); }
      }
    }
  }
};
class Seen extends React.Component {
  constructor(...given) { super(...given); note(this, this.updater, this.refs, ...given); }
  static getDerivedStateFromProps(...given) { note(this, ...given); return {}; }
  render() { note(this); this.setState((...given) => note(...given)); return null; }
}
class Pure extends React.PureComponent {
  UNSAFE_componentWillMount() { note(this, this.updater); this.setState(function (...a) {
    note(this, ...a); return {}; }); }
  render() { return null; }
}
const action = Object.assign(() => 0, {
  $$FORM_ACTION(...given) { note(this, ...given); return { data: { forEach: note } }; },
});
const Context = React.createContext(0);
const Memo = React.memo((...given) => { note(...given); return null; });
const Forward = React.forwardRef((...given) => { note(...given); return null; });
const Hooks = () => { for (const module of [React, dom]) gather(module); return null; };
const once = () => ({ [Symbol.iterator](...given) { note(this, ...given); let n = 0;
  return { next(...rest) { note(this, ...rest); return { done: n++ > 0, value: "x" }; } }; } });
function* generated() { yield 1; }
async function* eventually() { yield 1; }
const language = () => {
  const error = new Error("x");
  try { null.x; } catch (thrown) { got.push(thrown); }
  const segments = new Intl.Segmenter("en").segment("a b");
  got.push(globalThis, error, generated(), eventually(), eventually().next(), segments,
    ...Object.values(Object.getOwnPropertyDescriptor(error, "stack") ?? {}),
    segments[Symbol.iterator](), [].values(), new Map().keys(), new Set().keys(),
    "a".matchAll(/a/g),
    [1].values().map((x) => x), Iterator.from({ next() {} }), (function () { return arguments; })(),
    Iterator.concat?.([1]), Promise.withResolvers(), String.raw`a`, ((strings) => strings)`b`,
    new Proxy({}, {}), /a/d.exec("a").indices, new Date(), structure());
};
const structure = () => ({ typed: new Uint8Array(1), view: new DataView(new ArrayBuffer(1)),
  big: Object(1n), symbol: Object(Symbol("x")), list: [new Int8Array(1).values()],
  display: new Intl.DateTimeFormat("en").formatToParts(0), crypto, performance, console });
const walk = () => {
  const todo = got.map((it, index) => [`${index}`, it]);
  const seen = new Map();
  while (todo.length) {
    const [path, it] = todo.pop();
    if (Object(it) !== it || it === trap || seen.has(it)) continue;
    seen.set(it, path);
    for (const key of Reflect.ownKeys(it)) {
      const { value, get, set } = Reflect.getOwnPropertyDescriptor(it, key);
      for (const next of [value, get, set]) todo.push([`${path}.${String(key)}`, next]);
    }
    todo.push([`${path}.__proto__`, Object.getPrototypeOf(it)]);
  }
  return seen;
};
const Report = ({ mode }) => {
  language();
  const found = [];
  for (const [it, path] of walk()) {
    for (const key of [...Reflect.ownKeys(it), "leak"]) {
      const own = Reflect.getOwnPropertyDescriptor(it, key);
      if (own?.value === "secret") found.push(`${path}.${String(key)}`);
      if (mode !== "mark") continue;
      try { Reflect.defineProperty(it, key, { value: "secret" }); } catch {} // an array's length
    }
  }
  return `${walk().size > 900} ${found.join(" ")}`;
};
export default ({ mode }) => <>
  <Hooks /><Seen a="1" /><Pure a="1" /><Memo a="1" /><Forward a="1" />
  <form action={action}><button formAction={action} />
    <input type="submit" formAction={action} /></form>
  <Context.Provider value={1}><Context.Consumer>{(...given) => { note(...given); return null; }}
  </Context.Consumer></Context.Provider>{once()}
  <p style={{ get color() { note(this); return "red"; } }} ref={note} onClick={note} />
  <i><Report mode={mode} /></i></>;"""


@pytest.fixture(scope="module")
def prerenderer() -> Iterator[Prerenderer]:
    """One isolate, for blocks one after another."""
    with Prerenderer(isolates=1) as one:
        yield one


def test_what_a_hostile_block_leaves_reaches_no_other(
    press: Press, prerenderer: Prerenderer
) -> None:
    """Before and after a block that writes to all that it can reach, others reach the same."""
    bundle = press.bundle(component("it", GATHERS))
    modes = ("look", "mark", "look", "mark", "look")
    jobs = [
        RenderJob(component="it", props_json=json.dumps({"mode": mode, "n": n}), prefix="b1-")
        for n, mode in enumerate(modes)
    ]
    looked = prerenderer.render(jobs, bundle)[::2]
    assert [block.problem for block in looked] == [None] * 3
    reports = [block.html.partition("<i>")[2].partition("</i>")[0] for block in looked]
    assert reports == ["true "] * 3


def test_a_form_s_status_is_no_channel(press: Press, prerenderer: Prerenderer) -> None:
    """`useFormStatus` gives all blocks one object, which none of them can write to."""
    code = """import { useFormStatus } from "react-dom";
export default ({ secret }) => { const status = useFormStatus();
  try { if (secret) status.data = secret; } catch { return "refused"; }
  return String(status.data); };"""
    bundle = press.bundle(component("it", code))
    jobs = [
        RenderJob(component="it", props_json=json.dumps(props), prefix="b1-")
        for props in ({"secret": "another page's"}, {})
    ]
    assert [block.html for block in prerenderer.render(jobs, bundle)] == ["refused", "null"]
