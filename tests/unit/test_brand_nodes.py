"""Branding a node: tokens, themes, fonts, its own CSS and scripts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
import tinycss2
from hypothesis import example, given
from hypothesis import strategies as st

from robbieblocks.brand import LAYERS, brand
from robbieblocks.brand.css import sheet_problems, value_problem
from robbieblocks.brand.families import families
from robbieblocks.css_text import property_name
from robbieblocks.model import BrandedNode, FontFace, TokenRow
from tests.unit.rows import a_node

PRIMARY = TokenRow(key="color.primary", category="color", default="#112233")
GAP = TokenRow(key="spacing.gap_wide", category="spacing", default="2rem")
BODY = TokenRow(key="font.body", category="font", default="'Inter', sans-serif")
HEADING = TokenRow(key="font.heading", category="font", default="Tektur, Orbitron, ui-sans-serif")
MONO = TokenRow(key="font.mono", category="font", default="ui-monospace, Menlo, monospace")


def face(family: str, weight: str, subset: str, style: str = "normal") -> FontFace:
    name = f"{family}-{subset}-{weight}-{style}.woff2".lower().replace(" ", "-")
    ranges = {"latin": "U+0000-00FF,U+0131", "latin-ext": "U+0100-02BA,U+1E00-1E9F"}
    return FontFace(
        family=family,
        style=style,
        weight=weight,
        unicode_range=ranges[subset],
        content=name.encode(),
        file=name,
    )


HOSTED = {
    "inter": (face("Inter", "100 900", "latin-ext"), face("Inter", "100 900", "latin")),
    "tektur": (face("Tektur", "400", "latin"), face("Tektur", "700", "latin")),
}


def fonts(family: str) -> tuple[FontFace, ...]:
    return HOSTED.get(family.lower(), ())


def branded(*tokens: TokenRow, **fields: Any) -> BrandedNode:
    return brand(a_node(**fields), tokens, fonts)


def sheet(node: BrandedNode) -> str:
    return node.stylesheet.content.decode()


def test_tokens_become_custom_properties_in_their_layer() -> None:
    """The stylesheet says the layers' order first, then the properties, sorted."""
    node = branded(GAP, PRIMARY, overrides={"theme": "dark"})
    assert sheet(node) == (
        "@layer tokens, base, layout, components, utilities, node;\n"
        "@layer tokens{:root{color-scheme:dark;\n"
        "--color-primary:#112233;\n"
        "--spacing-gap-wide:2rem;\n"
        "}}\n"
    )
    assert node.problems == ()
    assert node.tokens == {"color.primary": "#112233", "spacing.gap_wide": "2rem"}


@pytest.mark.parametrize(
    "overrides",
    [
        {"color.primary": "red"},
        {"color": {"primary": "red"}},
        {"color": {"primary": "red"}, "x": None},
    ],
)
def test_overrides_replace_defaults(overrides: dict[str, Any]) -> None:
    """A node's value wins, flat or nested; null is no override."""
    node = branded(PRIMARY, overrides=overrides)
    assert node.tokens == {"color.primary": "red"}
    assert node.problems == ()


@pytest.mark.parametrize(
    ("overrides", "theme"),
    [({}, "light"), ({"theme": "light"}, "light"), ({"theme": "dark"}, "dark")],
)
def test_the_theme_is_light_unless_said(overrides: dict[str, Any], theme: str) -> None:
    """`theme` decides data-theme and color-scheme."""
    node = branded(overrides=overrides)
    assert node.theme == theme
    assert f"color-scheme:{theme};" in sheet(node)


def test_an_override_without_a_token_is_a_warning_and_a_property() -> None:
    """A mistyped token is suggested; the node's own CSS may use the property all the same."""
    node = branded(PRIMARY, overrides={"color.primry": "red"})
    (problem,) = node.problems
    assert problem.severity == "warning"
    assert problem.remedy == "did you mean color.primary?"
    assert "--color-primry:red;" in sheet(node)


@pytest.mark.parametrize(
    ("key", "category", "value", "what", "remedy"),
    [
        ("spacing.md", "spacing", "16", "16 has no unit", "write 16px"),
        ("radius.md", "radius", " 4 ", "4 has no unit", "write 4px"),
        ("font.size-lg", "font", "1.5", "1.5 has no unit", "write 1.5px"),
        ("animation.fast", "animation", "120", "120 has no unit", "write 120ms"),
        ("shadow.a", "shadow", "0 2 4px red", "2 has no unit", "write 2px"),
        ("spacing.md", "spacing", "16pxx", "no unit is named pxx", "did you mean px?"),
        ("spacing.md", "spacing", "calc(1rem+2px)", "no space on both sides", "write + 2px"),
        ("color.b", "color", "colr-mix(in srgb, red, blue)", "colr-mix()", "mean color-mix()?"),
        ("shadow.a", "shadow", "0 0 2px var(--color-priamry)", "named --color-priamry", "primary?"),
    ],
)
def test_a_value_that_browsers_pass_over_is_a_warning(
    key: str, category: str, value: str, what: str, remedy: str
) -> None:
    """A token's own row is named, or the override; a token that only names it is not."""
    token = TokenRow(key=key, category=category, default=value)
    alias = TokenRow(
        key="spacing.z" if category == "spacing" else "z", category=category, default=f"{{{key}}}"
    )
    (problem,) = branded(PRIMARY, token, alias).problems
    assert (problem.entity, problem.key, problem.severity) == ("style_token", key, "warning")
    assert what in problem.what
    assert remedy in problem.remedy
    replaced = replace(token, default="none")
    (problem,) = branded(PRIMARY, replaced, overrides={key: value.strip()}).problems
    assert (problem.entity, problem.field) == ("node_branding", "style_overrides")
    assert what in problem.what


@pytest.mark.parametrize(
    ("category", "value"),
    [
        ("spacing", "0"),
        ("spacing", "clamp(1rem, 0.4rem + 2.6vw, 2.5rem)"),
        ("font", "650"),
        ("animation", "cubic-bezier(0.2, 0.7, 0.2, 1)"),
        ("text", "Hello: 16 #12345 and so on"),
        ("shadow", "0 0 2px var(--anything-else)"),
    ],
)
def test_a_value_that_some_property_takes_is_no_warning(category: str, value: str) -> None:
    """Lengths are asked for their unit where a length is meant, and texts are left alone."""
    assert branded(TokenRow(key=f"{category}.x", category=category, default=value)).problems == ()


def test_what_browsers_pass_over_of_custom_css_is_a_warning() -> None:
    """It goes out as it is, and each place of it is told, with its line."""
    css = ".dark a {}\nb { colr: var(--color-primray) }\n@media print { p { gap: 4 } }"
    node = branded(PRIMARY, custom_css=css)
    assert node.custom_css is not None
    assert [(each.severity, each.line, each.column, each.remedy) for each in node.problems] == [
        ("warning", 2, 5, "did you mean color?"),
        ("warning", 3, 25, "write 4px"),
        ("warning", 2, 11, "did you mean --color-primary?"),
    ]


def test_a_colour_that_is_none_is_a_warning() -> None:
    """A colour token that browsers wouldn't understand is pointed out."""
    (problem,) = branded(PRIMARY, overrides={"color.primary": "#12345"}).problems
    assert problem.severity == "warning"
    assert "#12345 is no colour" in problem.what


@pytest.mark.parametrize(
    "value",
    ["#abc", "rebeccapurple", "oklch(70% 0.1 200)", "color-mix(in srgb, red, blue)", "transparent"],
)
def test_a_colour_as_people_write_it_is_no_warning(value: str) -> None:
    """Every way of CSS to write a colour is taken."""
    assert branded(PRIMARY, overrides={"color.primary": value}).problems == ()


def test_numbers_are_taken_as_text() -> None:
    """An override may be a JSON number."""
    assert branded(overrides={"x": 1.5}).tokens == {"x": "1.5"}


def test_fonts_of_tokens_are_self_hosted() -> None:
    """The first family of a stack comes from the toolchain, with all of its faces."""
    node = branded(BODY, HEADING, MONO)
    text = sheet(node)
    assert node.problems == ()
    assert text.startswith(LAYERS)
    assert text.count("font-display:swap") == 4
    assert text.count('font-family:"Tektur"') == 2
    assert "Orbitron" not in text.split("@layer tokens{")[0]
    assert len(node.fonts) == 4
    assert all(asset.url in text for asset in node.fonts)


def test_of_a_font_in_two_files_the_rule_of_the_common_letters_follows() -> None:
    """Browsers take the later rule of two that have a letter, and fetch no other file for it."""
    whole = face("Inter", "100 900", "latin")
    common = replace(whole, file="inter-common.woff2", content=b"common", is_common=True)
    italic = replace(common, style="italic", file="inter-common-italic.woff2", content=b"italic")
    node = brand(a_node(), [BODY], lambda _: (whole, common, italic))
    urls = [node.fonts[number].url for number in range(3)]
    assert [font.content for font in node.fonts] == [whole.content, b"common", b"italic"]
    assert re.findall(r"url\((/[^)]*)\)", sheet(node)) == urls


def test_a_hosted_font_has_a_fallback_of_its_size() -> None:
    """It follows the font in the stack of the stylesheet alone: a font of the visitor's machine,
    for each weight that was measured. A family that was not measured has none."""
    other = TokenRow(key="font.label", category="font", default="Unmeasured, 'Inter', serif")
    hosted = {**HOSTED, "unmeasured": (face("Unmeasured", "400", "latin"),)}
    node = brand(a_node(), [BODY, MONO, other], lambda name: hosted.get(name.lower(), ()))
    text = sheet(node)
    assert '--font-body:"Inter", "inter fallback", "inter fallback android", sans-serif;' in text
    assert node.tokens["font.body"] == BODY.default
    assert f"--font-mono:{MONO.default};" in text
    assert f"--font-label:{other.default};" in text
    rules = re.findall(r'@font-face\{font-family:"inter fallback";([^}]*)\}', text)
    assert len(rules) == 2
    for rule in rules:
        assert re.search(r"size-adjust:1\d\d\.\d+%;ascent-override:\d+", rule)
        assert re.search(r'src:local\("Arial', rule)
        assert "url(" not in rule
    # A bold Roboto is narrower than a bold Arial, so it is drawn larger.
    bold = re.findall(r'"inter fallback( android|)";font-weight:550[^;]*;size-adjust:(\d+)', text)
    assert bold == [("", "102"), (" android", "109")]


def test_a_font_that_is_not_there_is_a_warning() -> None:
    """A family that the toolchain lacks falls back along its stack, with a warning."""
    (problem,) = branded(BODY, overrides={"font.body": "'Comic Neue', 'Inter', cursive"}).problems
    assert problem.severity == "warning"
    assert "the toolchain has no font `Comic Neue`; inter shows" in problem.what


def test_system_fonts_ask_for_nothing() -> None:
    """A stack that starts with what machines have is neither hosted nor warned of."""
    node = branded(MONO, overrides={"font.mono": "Georgia, 'Inter', serif"})
    assert node.problems == ()
    assert node.fonts == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("'Inter', sans-serif", ["Inter", "sans-serif"]),
        ("Source Serif 4, serif", ["Source Serif 4", "serif"]),
        ("Space Grotesk, sans-serif", ["Space Grotesk", "sans-serif"]),
        ("'Inter'", ["Inter"]),
        ("16px", []),
        ("bold", []),
        ("italic 12px 'Inter'", []),
        ("var(--x), serif", []),
        ("", []),
    ],
)
def test_families_are_read_from_stacks_only(value: str, expected: list[str]) -> None:
    """Sizes and weights in font tokens are no families."""
    assert families(value) == expected


def test_custom_css_is_wrapped_in_its_layer() -> None:
    """A node's CSS is a file of its own, last in the cascade."""
    node = branded(custom_css=".rb-page { color: red }\n@keyframes x { from { opacity: 0 } }")
    assert node.custom_css is not None
    text = node.custom_css.content.decode()
    assert text.startswith("@layer node{\n")
    (rule,) = tinycss2.parse_stylesheet(text, skip_whitespace=True)
    assert rule.lower_at_keyword == "layer"


def test_custom_scripts_are_a_file_as_they_are() -> None:
    """A script file needs no escaping, whatever it holds."""
    script = 'console.log("</script>")'
    node = branded(custom_scripts=script)
    assert node.custom_scripts is not None
    assert node.custom_scripts.content.decode() == script
    assert node.custom_scripts.name.endswith(".js")


@pytest.mark.parametrize("blank", ["", " \n"])
def test_blank_css_and_scripts_are_no_files(blank: str) -> None:
    """Nothing to say, nothing to load."""
    node = branded(custom_css=blank, custom_scripts=blank)
    assert (node.custom_css, node.custom_scripts) == (None, None)


@pytest.mark.parametrize(
    "css",
    [
        "a { color: red }",
        "a { &:hover { color: red } color: blue }",
        "@font-face { font-family: X; src: url(data:font/woff2;base64,AA) }",
        "@media (min-width: 3px) { @supports (display: grid) { a { b: c } } }",
        ":root { --x: { a: b }; --y:; }",
        "/* a } comment { */ a { content: '}' }",
        "a { background: url(/_rb/x.png), url('#id'), url(/media/y.png) }",
        "@layer inner { a { b: c } } @layer x, y;",
        "@container card (width > 20rem) { a { b: c } }",
        "@page { margin: 1cm }",
        "@property --x { syntax: '<length>'; inherits: false; initial-value: 0px }",
    ],
)
def test_css_as_people_write_it_is_taken(css: str) -> None:
    """Modern CSS passes the checks."""
    assert sheet_problems(css) == []


def test_several_faults_in_css_come_together_with_their_lines() -> None:
    """All that is wrong in a stylesheet is reported, in order, with the line quoted."""
    node = branded(custom_css="@import 'a';\na { b: c }\nd { background: url(//evil.example) }")
    assert [(p.line, p.source[:7]) for p in node.problems] == [(1, "@import"), (3, "d { bac")]


def test_equal_rows_give_equal_bytes() -> None:
    """The order of rows and of overrides decides nothing."""
    one = branded(PRIMARY, BODY, HEADING, overrides={"a": "1", "b": "2"})
    two = branded(HEADING, BODY, PRIMARY, overrides={"b": "2", "a": "1"})
    assert one.stylesheet == two.stylesheet
    assert one.fonts == two.fonts


def test_the_base_url_has_no_slash_at_its_end() -> None:
    """Routes start with a slash, so the address ends without one."""
    assert branded(base_url="https://play.example/").base_url == "https://play.example"
    assert branded(base_url="http://127.0.0.1:8000").problems == ()


_CSS = st.text(alphabet="a1#;:{}()[]'\"\\/*!@<> \n,.%urlvar-") | st.text()


@example("\\ ")
@example("\\\n")
@given(_CSS)
def test_an_accepted_value_never_leaves_its_declaration(value: str) -> None:
    """Whatever value passes, the stylesheet has two rules and the declarations it should have."""
    if value_problem(value) is not None:
        return
    node = branded(TokenRow(key="b", category="x", default=value), overrides={"c": "end"})
    text = sheet(node)
    rules = tinycss2.parse_stylesheet(text, skip_whitespace=True)
    assert [rule.lower_at_keyword for rule in rules] == ["layer", "layer"]
    (root,) = tinycss2.parse_blocks_contents(rules[1].content, skip_whitespace=True)
    declarations = tinycss2.parse_blocks_contents(
        root.content, skip_whitespace=True, skip_comments=True
    )
    assert [declaration.name for declaration in declarations] == ["color-scheme", "--b", "--c"]
    assert not any(declaration.important for declaration in declarations)
    assert "</" not in text


@given(
    _CSS
    | st.lists(st.sampled_from(["a{b:c}", "}", "{", "/*", "*/", "'", "@media x{", ";"])).map(
        "".join
    )
)
def test_an_accepted_sheet_never_leaves_its_layer(css: str) -> None:
    """Whatever passes, wrapping it gives exactly one rule, and what follows is not lost."""
    if sheet_problems(css):
        return
    rules = tinycss2.parse_stylesheet(f"@layer node{{\n{css}\n}}\nend{{}}", skip_whitespace=True)
    assert [rule.type for rule in rules] == ["at-rule", "qualified-rule"]


@given(st.from_regex(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*", fullmatch=True))
def test_a_token_key_is_one_custom_property(key: str) -> None:
    """Every token key gives the name of a custom property, as CSS reads it."""
    (declaration,) = tinycss2.parse_blocks_contents(f"{property_name(key)}:x")
    assert declaration.name == property_name(key)


@pytest.mark.parametrize(
    ("value", "written", "family"),
    [
        ("Inter", "Inter", "Inter"),
        ("Press Start 2P", '"Press Start 2P"', "Press Start 2P"),
        ("Source Sans 3, Inter, serif", '"Source Sans 3", Inter, serif', "Source Sans 3"),
        ("Exo 2, 'Press Start 2P'", '"Exo 2", "Press Start 2P"', "Exo 2"),
        ("Montserrat", "Montserrat", "Montserrat"),
        ("Open  Sans", "Open  Sans", "Open Sans"),
    ],
)
def test_bare_font_names_have_a_face_or_a_warning(value: str, written: str, family: str) -> None:
    """A name without quotes is read as people write it, and is valid CSS."""
    token = TokenRow(key="font.heading", category="font", default=value)
    asked: list[str] = []

    def hosted(name: str) -> tuple[FontFace, ...]:
        asked.append(name)
        return (face(name, "400", "latin"),)

    node = brand(a_node(), [token], hosted)
    assert asked == [family]
    assert node.tokens["font.heading"] == written
    assert f'@font-face{{font-family:"{family}"' in sheet(node)
    assert node.problems == ()
    (warning,) = brand(a_node(), [token], lambda _: ()).problems
    assert (warning.severity, family in warning.what) == ("warning", True)


@pytest.mark.parametrize("value", ["bold", "16px", "1.5", "italic", "700", "normal", "small-caps"])
def test_other_font_values_are_no_names(value: str) -> None:
    """They stay as they are, and no font is asked for."""
    token = TokenRow(key="font.weight", category="font", default=value)
    node = brand(a_node(), [token], fonts)
    assert (node.tokens["font.weight"], node.problems) == (value, ())


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Vengeance", ">V<"),
        ("the second node 2", ">T2<"),
        ("\u00df & <b>", ">SB<"),
        ("***", "<circle"),
    ],
)
def test_a_node_s_favicon_has_its_initials(name: str, letters: str) -> None:
    """They stand on its first colour; a colour that names a property is none for a picture."""
    svg = branded(PRIMARY, name=name).favicon.content.decode()
    assert letters in svg
    assert 'fill="#112233"' in svg
    ElementTree.fromstring(svg)  # noqa: S314 - our own text
    for odd in ("var(--x)", 'url("/a.png")'):
        ElementTree.fromstring(  # noqa: S314 - as above
            branded(PRIMARY, overrides={"color.primary": odd}).favicon.content
        )


LINK = TokenRow(key="color.link", category="color", default="{color.primary}")


def schemed(*, theme: str = "light", **schemes: Any) -> BrandedNode:
    overrides = {"theme": theme, "color.primary": "#111"}
    return branded(PRIMARY, LINK, GAP, overrides=overrides, settings={"schemes": schemes})


def test_a_node_with_both_themes_has_one_stylesheet_with_both() -> None:
    """Tokens that name one that differs differ, too; the others stand in it once."""
    node = schemed(dark={"color": {"primary": "#eee"}})
    assert node.problems == ()
    assert "color-scheme:light dark;" in sheet(node)
    _, own, other = sheet(node).split(":root{")
    assert other == "\n--color-link:#eee;\n--color-primary:#eee;\n}}\n}\n"
    assert own.endswith("@media screen and (prefers-color-scheme:dark){")
    assert node.scheme == {
        "color.link": "#eee",
        "color.primary": "#eee",
        "spacing.gap_wide": "2rem",
    }
    paper = schemed(theme="dark", light={"color.primary": "#222"})
    assert "@media (prefers-color-scheme:light),print{" in sheet(paper)


@pytest.mark.parametrize(
    ("schemes", "pointer", "what"),
    [
        ({"light": {}}, "/schemes/light", "own theme"),
        ({"dark": {"theme": "dark"}}, "/schemes/dark/theme", "kept for"),
        ({"dark": {"font.body": "Inter"}}, "/schemes/dark/font.body", "is a font"),
        ({"dark": {"color.primary": "}"}}, "/schemes/dark/color.primary", "without its {"),
        ({"dark": {"color.primary": 1, "color": {"primary": 2}}}, "/schemes/dark", "twice"),
        ({"dark": {"color.primry": "#eee"}}, "/schemes/dark/color.primry", "no token"),
    ],
)
def test_what_is_wrong_with_a_scheme_is_the_settings_problem(
    schemes: dict[str, Any], pointer: str, what: str
) -> None:
    """It is told once, at its place; what is wrong with the node's tokens is not told again."""
    (problem,) = schemed(**schemes).problems
    assert (problem.field, problem.pointer) == ("settings", pointer)
    assert what in problem.what
