"""Code that compiles and does not do what it seems to do is warned of, at its place."""

from __future__ import annotations

import pytest

from tests.pages import Press, component

DOUBTFUL = {
    "defaultProps": (
        "const A = ({ a }) => <p>{a}</p>;\nA.defaultProps = { a: 1 };\nexport default A;",
        "React passes defaultProps of functions over",
    ),
    "key": ("export default function A({ key }) { return <p>{key}</p>; }", "prop named key"),
    "handler": ("export default () => <p onclick={() => 1}>x</p>;", "React knows no onclick"),
    "no return": (
        "export default () => <p>{[1].map((x) => { <i>{x}</i> })}</p>;",
        "the JSX of this function goes nowhere",
    ),
    "handler's name": ("export default () => <p onclik={() => 1}>x</p>;", "React knows no onclik"),
    "text as a handler": ("export default () => <p onClick='go()'>x</p>;", "no browser runs it"),
    "no return of a function": (
        "export default function A() {\n  const [n] = useState(1);\n  (<p>{n}</p>);\n}",
        "the JSX of this function goes nowhere",
    ),
    "return alone": ("export default () => {\n  return\n    <p/>;\n};", "nothing is returned"),
    "text as a flag": ("export default () => <input disabled='false'/>;", "any text means yes"),
    "quotes": ("export default (p) => <p className='bg-${p.c}'>x</p>;", "text as it stands"),
    "directive": ("export default () => <p v-if='a'>x</p>;", "v-if is another framework's"),
    "handler as in HTML": ("export default () => <p onclick='go()'>x</p>;", "knows no onclick"),
    "flag as in HTML": ("export default () => <input readonly/>;", "passes readonly over"),
    "flag as in HTML, given": (
        "export default (p) => <p contenteditable={p.a}>x</p>;",
        "passes contenteditable over",
    ),
    "frozen field": ("export default (p) => <input value={p.a}/>;", "visitors can't change it"),
    "frozen box": (
        "export default (p) => <input type='checkbox' checked={p.a}/>;",
        "a field with checked and without onChange",
    ),
    "frozen choice": (
        "export default () => <select value='a'><option>a</option></select>;",
        "visitors can't change it",
    ),
    "function as content": ("export default () => <p>{() => 1}</p>;", "a function shows nothing"),
    "script of Flowbite": (
        "export default () => <button data-dropdown-toggle='a'>x</button>;",
        "is read by Flowbite's script",
    ),
    "script of Bootstrap": (
        "export default () => <button data-bs-toggle='collapse'>x</button>;",
        "is read by Bootstrap's script",
    ),
    "script of Alpine": ("export default () => <p x-data='{}'>x</p>;", "read by Alpine's script"),
    "aria without a hyphen": ("export default () => <p ariaLabel='x'>x</p>;", "know no ariaLabel"),
    "data without a hyphen": ("export default () => <p dataFoo='x'>x</p>;", "know no dataFoo"),
    "style of a script": (
        "import { useEffect } from 'react';\nexport default () => {\n  useEffect(() => {\n"
        "    const it = document.createElement('style');\n    document.head.append(it);\n"
        "  }, []);\n  return <p/>;\n};",
        "refuses styles that a script makes",
    ),
    "comma among classes": (
        "export default () => <p className='flex, gap-2'>x</p>;",
        "a class has",
    ),
    "semicolon of a class": (
        "export default (p) => <p className={`px-4; ${p.a}`}>x</p>;",
        "a class has",
    ),
    "dot of a class": ("export default () => <p className={'.card'}>x</p>;", "a class has"),
    "ref by name": ("export default () => <p ref='it'>x</p>;", "no refs by name"),
    "address that is code": (
        "export default () => <a href='javascript:void(0)'>x</a>;",
        "href is a script",
    ),
    "css of emotion": ("export default () => <p css={{ top: 0 }}>x</p>;", "has css: it does"),
    "styled-jsx": (
        "export default () => <p><style jsx>{`p { top: 0 }`}</style></p>;",
        "hold for the whole page",
    ),
    "inner HTML": ("export default () => <p innerHTML='<b>x</b>'/>;", "has innerHTML"),
    "directive with a colon": ("export default () => <p v-on:click='a'>x</p>;", "v-on:click is"),
    "directive of Astro": ("export default () => <p client:load>x</p>;", "client:load is another"),
    "comment in text": ("export default () => (\n  <p>\n    // x\n  </p>\n);", "and shows"),
    "comment with a star": ("export default () => <p>/* x */</p>;", "and shows"),
    "state as an object": (
        "export default () => { const { a } = useState(1); return <p>{a}</p>; };",
        "the hook gives a list",
    ),
    "async effect": (
        "export default () => { useEffect(async () => {}, []); return <p/>; };",
        "an async effect gives a promise",
    ),
    "eval": (
        "export default () => <p onClick={() => eval('1')}>x</p>;",
        "eval makes code of a text",
    ),
    "new Function": (
        "export default () => <p onClick={() => new Function('1')}>x</p>;",
        "Function makes code of a text",
    ),
    "timer with a text": (
        "export default () => <p onClick={() => setTimeout('go()', 9)}>x</p>;",
        "setTimeout makes code of a text",
    ),
    "document.write": (
        "export default () => <p onClick={() => document.write('x')}>x</p>;",
        "takes the whole page away",
    ),
    "use server": (
        "'use server';\nexport default () => <p/>;",
        "no page has a server",
    ),
    "revalidate": (
        "export const revalidate = 60;\nexport default () => <p/>;",
        "nobody asks for revalidate: it is Next's",
    ),
    "next": (
        "export async function getServerSideProps() {}\nexport default () => <p/>;",
        "nobody asks for getServerSideProps",
    ),
    "function in lower case": (
        "function card() { return <b/>; }\nexport default () => <p><card/></p>;",
        "<card> is an HTML element of that name, and not the function",
    ),
    "lower case": (
        "import hero from '@robbieblocks/hero';\nexport default () => <p><hero /></p>;",
        "<hero> is an HTML element",
    ),
}


@pytest.mark.parametrize(("code", "what"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_does_not_do_what_it_seems_to(press: Press, code: str, what: str) -> None:
    """Code that compiles and does nothing is warned of, and shown."""
    made = press.bundle(component("it", code), component("hero", "<b>hero</b>"))
    assert not made.broken
    (problem,) = made.problems
    assert problem.severity == "warning"
    assert what in problem.what
    assert problem.remedy
    assert problem.line


@pytest.mark.parametrize(
    "code",
    [
        "export default () => <x-count onbump={() => 1}><y-z onclik={() => 2} /></x-count>;",
        "class A extends Component { render() { return <p/>; } }\nA.defaultProps = {};\n"
        "export default A;",
        "export default ({ items = [] }) => items.map(({ key }) => <p key={key}>x</p>);",
        "const label = 'x';\nexport default () => <label>{label}</label>;",
        "export default () => <p onClick={() => { go(<p/>); }}>x</p>;\nfunction go(x) {}",
        "function label() { return 'x'; }\nexport default () => <label>{label()}</label>;",
        "export default ({ card }) => <p hidden={false} title='off' alt='$5'>{`${card}`}</p>;",
        "export default () => {\n  return (\n    <p data-v-if='a' aria-busy='false'/>\n  );\n};",
        "export default () => <p><code>// shown</code><a href='https://a.example'>//</a></p>;",
        "export default () => <p>see https://a.example//b, and 1 /* 2</p>;",
        "const A = (p) => <p>{p.css}{p.ref}</p>;\n"
        "export default () => <A css='a' readonly ref={null} onclick={() => 1} innerHTML='x'/>;",
        "export default (p) => <p><input value='a' readOnly/><input type='hidden' value='b'/></p>;",
        "export default (p) => <p><input value='a' {...p}/><input type='radio' value='b'/></p>;",
        "export default (p) => <input value={p.a} onInput={() => 1} readonly=''/>;",
        "export default () => { useEffect(() => { void (async () => 1)(); }); return <p/>; };",
        "export default () => { const [{ b }] = useState({ b: 1 }); return <p>{b}</p>; };",
        "export default () => <p onClick={() => setTimeout(() => 1, 9)}>x</p>;",
        "const eval_ = (a) => a;\nexport default () => <p>{eval_('1')}</p>;",
        "'use client';\nexport default () => <a href='/javascript:'>x</a>;",
        "export default () => <svg xml:space='preserve'><use xlink:href='#a'/></svg>;",
        "export const store = { metadata: 1 };\nexport default () => <p>{store.metadata}</p>;",
    ],
)
def test_what_is_right_is_not_doubted(press: Press, code: str) -> None:
    """What looks like one of these mistakes and is none passes in silence."""
    assert press.bundle(component("it", code)).problems == ()
