"""Each mistake that people bring from elsewhere gets the remedy that helps."""

from __future__ import annotations

from typing import Any

import pytest

from robbieblocks.errors import Problem
from tests.pages import Press, block, component
from tests.sites import Block, MakeSite

FENCED = "```tsx\nexport default () => <p>x</p>;\n```"
COMPILING = {
    "comment": ("export default () => <p><!-- note --></p>;", "write {/* ... */}"),
    "curly quotes": (
        "export default () => <p className=\u201ca\u201d>x</p>;",
        "straight quotation",
    ),
    "fences": (FENCED, "take away the lines with ```"),
    "await": ("const a = await fetch('/x');\nexport default () => <p/>;", "load data in useEffect"),
    "side by side": ("export default () => <p>a</p><p>b</p>;", "one around them: <>...</>"),
    "side by side in lines": (
        "export default () => (\n  <p>a</p>\n  <p>b</p>\n);",
        "one around them: <>...</>",
    ),
    "open br": ("export default () => <p>a<br>b</p>;", "write <br />"),
    "if": ("export default () => <p>{if (true) { 'a' }}</p>;", "{a ? b : c}"),
    "less": ("export default () => <p>1 < 2</p>;", 'write {"<"}'),
    "arrow in text": ("export default () => <p>a -> b</p>;", 'write {">"}'),
    "erb": ("export default () => <p><%= title %></p>;", "write {props.title}"),
    "vue": ("export default () => <p @click='a'>x</p>;", "as React does"),
    "angular": ("export default () => <p *ngIf='a'>x</p>;", "as React does"),
    "picture": ("import a from './a.svg';\nexport default () => <img src={a}/>;", "content/media/"),
    "data": ("import a from './a.json';\nexport default () => <p>{a.b}</p>;", "as props"),
    "removed": ("import { findDOMNode } from 'react-dom';\nexport default () => <p/>;", "a ref"),
    "head": ("import Head from 'next/head';\nexport default () => <Head/>;", "make its head"),
    "helmet": (
        "import { Helmet } from 'react-helmet';\nexport default () => <Helmet/>;",
        "make its head",
    ),
}
RENDERING: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "60": (
        *("<p dangerouslySetInnerHTML={{ __html: 'a' }}>b</p>", {}),
        *("has both children and dangerouslySetInnerHTML", "keep one of the two"),
    ),
    "61": (
        *("<p dangerouslySetInnerHTML='a' />", {}),
        *("dangerouslySetInnerHTML must be an object", "dangerouslySetInnerHTML={{ __html"),
    ),
    "62": ("<p style='color: red' />", {}, "a style must be an object", "style={{ color"),
    "92": (
        *("<textarea value='a'>b</textarea>", {}),
        *("a <textarea> has both a value and children", "keep one of the two"),
    ),
    "407": (
        *("<p>{useSyncExternalStore(() => () => {}, () => 1)}</p>", {}),
        *("useSyncExternalStore has no third argument", "give it a third argument"),
    ),
    "438": ("<p>{use(5)}</p>", {}, "use() was called with", "give it a context"),
    "method": (
        *("<p>{props.text.toUpper()}</p>", {"text": "a"}),
        *("toUpper is not a function", "did you mean toUpperCase?"),
    ),
    "absent list": (
        *("<p>{props.items.map(String)}</p>", {"items": 5}),
        *("map is not a function", "give the prop a default"),
    ),
    "hook outside": (
        *("const [n] = useState(1);\nexport default () => <p>{n}</p>;", {}),
        *("reading 'useState'", "inside of the component"),
    ),
    "function as a prop": (
        *("<p>{props.onPick()}</p>", {}),
        *("onPick is not a function", "rows hold no functions"),
    ),
}
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


@pytest.mark.parametrize(("code", "remedy"), COMPILING.values(), ids=COMPILING)
def test_what_does_not_compile(press: Press, code: str, remedy: str) -> None:
    """The remedy names what is meant, and not what the compiler stumbles over."""
    made = press.bundle(component("it", code))
    assert made.broken == {"it"}
    assert remedy in made.problems[0].remedy, made.problems


@pytest.mark.parametrize(("code", "props", "what", "remedy"), RENDERING.values(), ids=RENDERING)
def test_what_does_not_render(
    press: Press, code: str, props: dict[str, Any], what: str, remedy: str
) -> None:
    """An error is told in words, with what to do."""
    made = press.bundle(component("it", code))
    assert not made.problems
    problem = press.render(made, [block(1, "it", props)])[1].problem
    assert isinstance(problem, Problem)
    assert what in problem.what
    assert remedy in problem.remedy


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
        "class A extends Component { render() { return <p/>; } }\nA.defaultProps = {};\n"
        "export default A;",
        "export default ({ items = [] }) => items.map(({ key }) => <p key={key}>x</p>);",
        "const label = 'x';\nexport default () => <label>{label}</label>;",
        "export default () => <p onClick={() => { go(<p/>); }}>x</p>;\nfunction go(x) {}",
        "function label() { return 'x'; }\nexport default () => <label>{label()}</label>;",
        "export default ({ card }) => <p hidden={false} title='off' alt='$5'>{`${card}`}</p>;",
        "export default () => {\n  return (\n    <p data-v-if='a' aria-busy='false'/>\n  );\n};",
        "export const store = { metadata: 1 };\nexport default () => <p>{store.metadata}</p>;",
    ],
)
def test_what_is_right_is_not_doubted(press: Press, code: str) -> None:
    """What looks like one of these mistakes and is none passes in silence."""
    assert press.bundle(component("it", code)).problems == ()


@pytest.mark.postgres
def test_broken_html_in_a_prop_is_the_props_fault(make_site: MakeSite) -> None:
    """HTML that a prop brings is told with page, block and place in the props."""
    site = make_site()
    site.component("raw", "<div dangerouslySetInnerHTML={{ __html: props.parts[1].html }} />")
    broken = {"parts": [{"html": "<b>fine</b>"}, {"html": "<b>open</i></div>"}]}
    site.page("raw", Block(component="raw", props=broken))
    site.component("own", "<div dangerouslySetInnerHTML={{ __html: '</div>' + props.text }} />")
    site.page("own", Block(component="own", props={"text": "<b>fine</b>"}))
    site.build()
    found = {each.page: each for each in site.problems()}
    assert (found["raw"].field, found["raw"].pointer) == ("props", "/parts/1/html")
    assert "leaves the block" in found["raw"].what
    assert found["own"].field == "react_code"
