"""Each mistake that people bring from elsewhere gets the remedy that helps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from robbieblocks import builtin
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
    "fences and words": (
        "Here is your component:\n\n```tsx\nexport default () => <p>x</p>;\n```\nEnjoy!",
        "what was written around them",
    ),
    "words before": (
        "Here is the component you asked for:\n\nexport default () => <p>x</p>;",
        "keep the code alone",
    ),
    "words behind": (
        "export default () => <p>x</p>;\n\nLet me know if you need more.",
        "keep the code alone",
    ),
    "a heading": ("# Hero\n\nexport default () => <p>x</p>;", "keep the code alone"),
    "a merge": (
        "<<<<<<< HEAD\nexport default () => 1;\n=======\nexport default () => 2;\n>>>>>>> main",
        "one side of the merge",
    ),
    "a diff": (
        "--- a/it.tsx\n+++ b/it.tsx\n@@ -1 +1 @@\n-export default () => 1;",
        "this is a diff",
    ),
    "lines of a diff": ("+export default () => <p>x</p>;\n-old", "this is a diff"),
    "Flow": (
        "// @flow\nexport default function A(props: {| a: string |}) { return <p/>; }",
        "TypeScript's types",
    ),
    "JSON": ('{ "type": "hero", "title": "Hi" }', "JSON belongs into props"),
    "CSS": (".card { color: red; }", "put CSS into css_styles"),
    "liquid": ("<p>{% if a %}x{% endif %}</p>", "{on && <p />}"),
    "svelte": ("<p>{#if a}x{/if}</p>", "this is Svelte's"),
    "handlebars": ("<p>{{ title | upper: 1 }}</p>", "write {props.title}"),
    "return alone": ("return <p>x</p>;", "leave `return` out of JSX alone"),
    "vue's file": (
        "<template>\n  <p>{{ a }}</p>\n</template>\n<script setup>\nlet a = 1\n</script>",
        "a file of Vue or Svelte",
    ),
    "svelte's file": ("<script>\n  let a = 1;\n</script>\n<h1>{a}</h1>", "a file of Vue or Svelte"),
    "less than a name": ("export default () => <p>if a < b && c</p>;", 'write {"<"}'),
    "a brace too many": ("export default () => { return <p/>; }\n}", "take it away"),
    "environment of Vite": (
        "export default () => <p>{import.meta.env.A}</p>;",
        "take it as a prop",
    ),
    "a brand": (
        "import { Github } from 'lucide-react';\nexport default () => <Github/>;",
        "no marks of brands",
    ),
    "return behind hooks": (
        "const [n] = useState(0);\nreturn <p>{n}</p>;",
        "function Block(props)",
    ),
    "types alone": ("export type A = { b: string };", 'the type "module"'),
    "a type alone": (
        "const List = <T>({ items }: { items: T[] }) => <p>{items.length}</p>;",
        "write <T,>(...)",
    ),
    "a zero-width space": (
        "export default () => {\u200b return <p>x</p>; };",
        "a letter that nobody sees",
    ),
    "left out": ("export default () => <p>x</p>;\n... existing code ...", "was left out here"),
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
    "text of Markdown": (
        *("<p>{props.text}</p>", {"text": {"__html": "<b>x</b>"}}),
        *("can't be shown as text", "dangerouslySetInnerHTML={text}"),
    ),
    "environment": ("<p>{process.env.URL}</p>", {}, "process is not defined", "take it as a prop"),
    "class names": ("<p className={styles.a}/>", {}, "styles is not defined", 'className="card"'),
    "styled": (
        *("const A = styled.p`color: red`;\nexport default () => <A/>;", {}),
        *("styled is not defined", "css_styles"),
    ),
    "motion": ("<motion.p/>", {}, "motion is not defined", 'from "framer-motion"'),
    "an element": ("<Card/>", {}, "Card is not defined", "@robbieblocks/<component-key>"),
    "a link": ("<Link href='/'>x</Link>", {}, "Link is not defined", "write <a href>"),
    "double braces": ("<p>{{ title }}</p>", {}, "title is not defined", "write props.title"),
    "root": (
        *("export default () => <p/>;\nReactDOM.createRoot(null);", {}),
        *("ReactDOM is not defined", "mounted by the page"),
    ),
    "a date": ("<p>{new Date(0)}</p>", {}, "shown as text", "toLocaleDateString"),
    "a context without a value": (
        "const A = createContext(null);\n"
        "export default () => { const { a } = useContext(A); return <p>{a}</p>; };",
        {},
        *("useContext(...)' as it is null", "give createContext a first value"),
    ),
    "function as a prop": (
        *("<p>{props.onPick()}</p>", {}),
        *("onPick is not a function", "rows hold no functions"),
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
    assert not made.broken
    problem = press.render(made, [block(1, "it", props)])[1].problem
    assert isinstance(problem, Problem)
    assert what in problem.what
    assert remedy in problem.remedy


@pytest.mark.parametrize("more", ["", "priority"])
def test_a_picture_without_media_says_what_it_takes(press: Press, more: str) -> None:
    """Who writes the package's Image as Next's is told what it is given here."""
    image = Path(builtin.__file__).with_name("image.tsx").read_text()
    code = (
        f'import Image from "@robbieblocks/image";\nexport default () => <Image src="/a" {more}/>;'
    )
    made = press.bundle(component("it", code), component("image", image))
    problem = press.render(made, [block(1, "it")])[1].problem
    assert isinstance(problem, Problem)
    assert "<Image media={photo} />" in problem.remedy


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("<p>\n  <b style='color: red'/></p>", "a style must be an object"),
        ("<p>\n  <b dangerouslySetInnerHTML={{ html: 'x' }}/></p>", "dangerouslySetInnerHTML"),
        ("<p>\n  <script>{'go()'}</script></p>", "it renders <script>"),
        ("<p>\n  <link rel='icon' href='/a'/></p>", "it renders <link>"),
        ("<p>\n  <br>x</br></p>", "<br> can't have children"),
    ],
)
def test_what_react_says_of_an_element_has_its_place(press: Press, code: str, what: str) -> None:
    """An error that arises once the component has returned names the line of the element."""
    made = press.bundle(component("it", f"export default () => {code};"))
    problem = press.render(made, [block(1, "it")])[1].problem
    assert isinstance(problem, Problem)
    assert what in problem.what
    assert problem.line == 2


def test_of_two_such_elements_none_is_named(press: Press) -> None:
    """Where the code has it twice, the error has no line: it may be the other one."""
    code = "<p><b style='top: 0'/><i style='top: 0'/></p>"
    made = press.bundle(component("it", f"export default () => {code};"))
    problem = press.render(made, [block(1, "it")])[1].problem
    assert isinstance(problem, Problem)
    assert problem.line is None


@pytest.mark.parametrize(
    ("code", "what", "line"),
    [
        ("export default () => (\n  <p>\n    <b>x\n  </p>\n);", "closing", 4),
        ("<div>\n  <br>\n  <img src='/a'>\n</div>", "closing", 4),
        ("export default () => {\n  const a = 1;\n  // and so on", "the text ends before", 3),
    ],
)
def test_a_text_that_does_not_parse_has_one_error(
    press: Press, code: str, what: str, line: int
) -> None:
    """What the compiler says next follows from it, or is about what was appended."""
    (problem,) = press.bundle(component("it", code)).problems
    assert what in problem.what
    assert problem.line == line


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
