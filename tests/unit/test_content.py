"""A content folder as values, and every way a file of it can be wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.content import Content, Stored, export, load, load_sound, save_example
from robbieblocks.errors import ContentError, Problem, UsageError
from robbieblocks.model import ZONES, sha256
from robbieblocks.settings import resource_dir
from robbieblocks.source_files import key_lines, line_of

COMPONENT = 'name = "Bar"\ntype = "widget"\n'
PAGE = """\
name = "Home"
app = "play"
route = "/play/"
layout = "single-column"

[[blocks]]
order = 1
zone = "main"
component = "bar"
props = { mood = "playful" }

[[blocks]]
order = 2
zone = "main"
component = "bar"
[blocks.props]
mood = "sleepy"
"""
TOKENS = '"color.primary" = { value = "#fff", description = "The brand" }\n'
NODE = 'node_id = "one"\nnode_name = "One"\ntheme = "dark"\n\n[tokens]\n"color.primary" = "#000"\n'

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "content"


@pytest.fixture
def write(folder: Path) -> Write:
    """Writes one file of a small, correct content folder; call it again to spoil one."""

    def write(name: str, text: str | bytes) -> Path:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    write("components/bar/component.tsx", "export default () => <p/>;\n")
    write("components/bar/component.toml", COMPONENT)
    write("pages/home.toml", PAGE)
    write("tokens.toml", TOKENS)
    write("../nodes/one.toml", NODE)
    return write


def problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(ContentError) as caught:
        load(folder, folder.parent / "nodes")
    return caught.value.problems


@pytest.mark.usefixtures("write")
def test_a_folder_is_read_whole(folder: Path) -> None:
    """Components, pages with their blocks, tokens and nodes come out with every column."""
    content = load(folder, folder.parent / "nodes")
    (component,) = content.components
    (page,) = content.pages
    (token,) = content.tokens
    (node,) = content.nodes
    assert (component.key, component.name, component.type) == ("bar", "Bar", "widget")
    assert (component.version, component.published, component.css) == ("1.0.0", True, None)
    assert component.code == "export default () => <p/>;\n"
    assert (page.key, page.app, page.route, page.status) == ("home", "play", "/play/", "published")
    assert [block.props for block in page.blocks] == [{"mood": "playful"}, {"mood": "sleepy"}]
    assert (token.key, token.category, token.value) == ("color.primary", "color", "#fff")
    assert (node.id, node.overrides) == ("one", {"theme": "dark", "color.primary": "#000"})


def test_blocks_come_in_their_order(folder: Path, write: Write) -> None:
    """Blocks are sorted by `order`, wherever they stand in the file."""
    write("pages/home.toml", PAGE.replace("order = 1", "order = 9"))
    (page,) = load(folder).pages
    assert [block.order for block in page.blocks] == [2, 9]


def test_code_is_read_byte_for_byte(folder: Path, write: Write) -> None:
    """Line ends and letters of stored code survive: nothing translates a newline."""
    code = "const A = () =>\r\n  <p>žluť\u2028</p>\r\n"
    write("components/bar/component.tsx", code.encode())
    assert load(folder).components[0].code == code


def test_no_css_file_and_an_empty_one_differ(folder: Path, write: Write) -> None:
    """No component.css is no styles; an empty one is an empty text."""
    assert load(folder).components[0].css is None
    write("components/bar/component.css", "")
    assert load(folder).components[0].css == ""


def test_a_key_may_be_no_file_name(folder: Path, write: Write) -> None:
    """A key that a file can't be called by is stated inside, and wins over the file's name."""
    write("components/bar/component.toml", 'key = "../bar"\n' + COMPONENT)
    write("pages/home.toml", 'key = "a/b"\n' + PAGE)
    content = load(folder)
    assert content.components[0].key == "../bar"
    assert content.pages[0].key == "a/b"


def test_json_that_toml_cannot_say_is_text(folder: Path, write: Write) -> None:
    """`props_json` holds what TOML has no word for: null."""
    write(
        "pages/home.toml",
        PAGE.replace('[blocks.props]\nmood = "sleepy"\n', "props_json = '{\"mood\": null}'\n"),
    )
    assert load(folder).pages[0].blocks[1].props == {"mood": None}


def test_a_schema_may_be_json_or_toml(folder: Path, write: Write) -> None:
    """props.schema.json, `[props_schema]`, or neither; both is a mistake."""
    assert load(folder).components[0].props_schema == {}
    write("components/bar/component.toml", COMPONENT + '[props_schema.mood]\ntype = "string"\n')
    assert load(folder).components[0].props_schema == {"mood": {"type": "string"}}
    write("components/bar/props.schema.json", '{"type": "object"}')
    (problem,) = problems(folder)
    assert "also in props.schema.json" in problem.what
    write("components/bar/component.toml", COMPONENT)
    assert load(folder).components[0].props_schema == {"type": "object"}


@pytest.mark.parametrize(
    ("name", "text", "line", "what"),
    [
        ("pages/home.toml", PAGE.replace("route", "rout"), None, "lacks route"),
        ("pages/home.toml", PAGE.replace("route", "rout"), 3, "rout is unknown here"),
        ("pages/home.toml", PAGE.replace('"/play/"', "7"), 3, "route must be a string"),
        ("pages/home.toml", PAGE.replace('"play"', f'"{"a" * 51}"'), 2, "its column holds 50"),
        ("pages/home.toml", PAGE.replace("order = 2", "order = 1"), 13, "1 is taken by the block"),
        ("pages/home.toml", PAGE.replace("order = 2", "order = true"), 13, "a whole number"),
        (
            "pages/home.toml",
            PAGE.replace("order = 2", "order = 9999999999"),
            13,
            "out of the range",
        ),
        ("pages/home.toml", PAGE.replace("zone", "zoo", 1), 6, "lacks zone in blocks.0"),
        (
            "pages/home.toml",
            PAGE.replace('mood = "sleepy"', "mood = 2025-01-09"),
            17,
            "date or time",
        ),
        ("pages/home.toml", PAGE.replace('mood = "sleepy"', "mood = nan"), 17, "finite number"),
        ("pages/home.toml", PAGE.replace('"sleepy"', '"\\u0000"'), 17, "NUL"),
        ("pages/home.toml", PAGE + '"\\u0000" = 1\n', 18, "the key \\x00 holds a NUL"),
        ("pages/home.toml", PAGE.replace("props = {", "props = ["), 10, "is not valid TOML"),
        ("pages/home.toml", 'status = "live"\n' + PAGE, 1, "status is 'live'"),
        ("pages/home.toml", "published_at = 2025-01-09\n" + PAGE, 1, "a time with its offset"),
        ("pages/home.toml", "blocks = 1\n" + PAGE.split("[[")[0], 1, "an array of tables"),
        (
            "pages/home.toml",
            'name = "N"\napp = "play"\n[metadata]\nframe = "yes"\n',
            4,
            "a `frame` that is neither true nor false",
        ),
        ("pages/home.toml", "metadata.not_found = 1\n" + PAGE, 1, "a `not_found` that is neither"),
        ("pages/deep.toml", f"a = {'[' * 5000}{']' * 5000}", None, "it nests too deeply"),
        ("pages/digits.toml", f"a = {'9' * 5000}", None, "an integer of too many digits"),
        ("pages/a\n\x1b[31mb.toml", "x", None, "is not valid TOML"),
        ("pages/folder.toml/file", "", None, "is a folder, and no file"),
        ("media", "", None, "is not a folder"),
        ("pages/notes.txt", "hello", None, "is not a .toml or .md file"),
        ("components/stray.tsx", "", None, "is not a folder"),
        ("components/bar/style.css", "", None, "is unknown here"),
        ("components/bar/component.jsx", "", None, "more than one code file"),
        ("components/bar/component.tsx", b"\xff", None, "is not UTF-8"),
        ("components/bar/component.tsx", "a\n\0", 2, "NUL"),
        ("components/bar/props.schema.json", '{\n  "a": }', 2, "is not valid JSON"),
        ("components/bar/props.schema.json", '{\n"a": NaN}', 2, "no JSON number"),
        ("components/bar/props.schema.json", '{"a": {},\n"b": {},\n"a": {}}', 3, "/a twice"),
        (
            "components/bar/component.toml",
            COMPONENT + 'metadata_json = """{\n"c": [{"a": 1, "a": {"b": 1}}]}"""\n',
            4,
            "has /c/0/a twice",
        ),
        ("components/bar/component.toml", COMPONENT + "dependencies = 3\n", 3, "array of strings"),
        ("components/bar/component.toml", COMPONENT + 'dependencies = ["\\u0000"]\n', 3, "NUL"),
        ("components/bar/component.toml", COMPONENT + 'published = "yes"\n', 3, "true or false"),
        ("components/bar/component.toml", COMPONENT + "metadata = 1\n", 3, "must be a table"),
        ("components/bar/component.toml", COMPONENT + 'metadata_json = "{"\n', 3, "valid JSON"),
        ("components/foo/component.toml", COMPONENT, None, "has no component.tsx"),
        ("components/foo/component.tsx", "", None, "is missing"),
        ("components/bar/examples/one.toml", "titel = 1\n", 1, "titel is unknown here"),
        ("components/bar/examples/notes.md", "", None, "is not a .toml file"),
        ("tokens.toml", '"\\u0000" = { value = "1" }\n', 1, "the key \\x00 holds a NUL"),
        ("tokens.toml", '"color.primary" = "#fff"\n', 1, "must be a table"),
        ("tokens.toml", '"color.primary" = { valu = "#fff" }\n', 1, "valu is unknown here"),
        ("../nodes/one.toml", NODE.replace("theme", "thema"), 3, "thema"),
        ("strange.toml", "", None, "is unknown here"),
    ],
)
def test_a_mistake_names_file_line_and_remedy(
    folder: Path, write: Write, name: str, text: str | bytes, line: int | None, what: str
) -> None:
    """Each mistake is a Problem with the file, the line where there is one, and what to do."""
    file = write(name, text)
    found = [problem for problem in problems(folder) if what in problem.what]
    assert found, problems(folder)
    assert found[0].remedy
    assert found[0].key.isprintable()
    assert found[0].line == line or line is None
    assert file.name in found[0].key or file.parent.name in found[0].key


def test_a_frame_that_is_said_wrongly_is_one_mistake(folder: Path, write: Write) -> None:
    """Neither the route nor the layout that a frame does not have is missed besides."""
    write("pages/home.toml", 'name = "N"\napp = "play"\nmetadata = { frame = "yes" }\n')
    (problem,) = problems(folder)
    assert problem.remedy == "write frame = true or frame = false"


def test_all_mistakes_are_told_at_once(folder: Path, write: Write) -> None:
    """Two broken files are two problems of one error."""
    write("pages/home.toml", "name = ")
    write("components/bar/component.toml", "name = ")
    assert len(problems(folder)) == 2


def test_two_rows_of_one_key_are_refused(folder: Path, write: Write) -> None:
    """A second page of a key names the first one's file."""
    write("pages/other.toml", 'key = "home"\n' + PAGE)
    (problem,) = problems(folder)
    assert "pages/home.toml" in problem.what


def test_two_branding_files_of_one_node_are_refused(folder: Path, tmp_path: Path) -> None:
    """Whatever they are called, `node_id` says whose each is."""
    branding = tmp_path / "node_branding"
    branding.mkdir()
    for name in ("a.toml", "b.toml"):
        (branding / name).write_text('node_id = "one"\nnode_name = "One"\n')
    with pytest.raises(ContentError, match=r"b\.toml: has the key 'one' of .*a\.toml"):
        load(folder, branding)


def test_an_export_writes_a_row_into_the_file_that_states_its_key(
    folder: Path, write: Write
) -> None:
    """A page, component or node whose file has another name keeps that file, and gets no second."""
    (folder / "pages" / "home.toml").rename(folder / "pages" / "other.toml")
    (folder / "components" / "bar").rename(folder / "components" / "other")
    write("pages/other.toml", 'key = "home"\n' + PAGE)
    write("components/other/component.toml", 'key = "bar"\n' + COMPONENT)
    (folder / "../nodes/one.toml").rename(folder / "../nodes/night.toml")
    nodes = folder.parent / "nodes"
    content = load(folder, nodes)
    done = export(Stored(content=content), folder, nodes)
    assert (done.written, done.strange) == ((), ())
    changed = replace(content, pages=(replace(content.pages[0], name="New"),))
    done = export(Stored(content=changed), folder, nodes, side=lambda _: "ours")
    assert (done.written, done.strange) == ((folder / "pages" / "other.toml",), ())
    assert load(folder, nodes).pages[0].name == "New"


def test_an_amended_file_keeps_its_ends_of_lines(folder: Path, write: Write) -> None:
    """Texts of more lines in a file with CRLF stay as they are where another value changes."""
    text = "description = '''\none\ntwo''' # mine\n" + PAGE
    file = write("pages/home.toml", text.replace("\n", "\r\n"))
    content = load(folder)
    assert content.pages[0].description == "one\ntwo"
    changed = replace(content, pages=(replace(content.pages[0], name="New"),))
    done = export(Stored(content=changed), folder, folder.parent / "nodes", side=lambda _: "ours")
    assert done.written == (file,)
    amended = file.read_bytes()
    assert b"'''\r\none\r\ntwo''' # mine\r\n" in amended
    assert amended.count(b"\n") == amended.count(b"\r\n")
    assert load(folder).pages == changed.pages


def test_hidden_files_are_passed_over(folder: Path, write: Write) -> None:
    """What an editor or a file system leaves behind is no content."""
    write("pages/.home.toml.swp", "x")
    write(".DS_Store", b"\0")
    assert len(load(folder).pages) == 1


def test_a_folder_that_is_not_there_is_an_error(folder: Path) -> None:
    """A mistyped path is not an empty site."""
    assert "is not a folder" in problems(folder)[0].what


@given(
    keys=st.lists(
        st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=6),
        unique=True,
        max_size=8,
    ),
    text=st.text(st.characters(exclude_characters="'\\", exclude_categories=["Cc", "Cs"])),
)
def test_a_line_is_found_around_long_strings(keys: list[str], text: str) -> None:
    """Keys keep their lines whatever multi-line strings between them say."""
    lines: list[str] = []
    expected = {}
    for key in keys:
        expected[key] = len(lines) + 1
        lines += [f"{key} = '''", f"{keys[0]} = 1 # {text}".replace("\n", ""), "[x]", "'''"]
    found = key_lines("\n".join(lines))
    assert {key: found[(key,)] for key in keys} == expected
    assert len(found) == len(keys)


def test_the_nearest_known_line_stands_for_an_inline_value() -> None:
    """A value inside an inline table has the line of the key that holds it."""
    places = key_lines("a = 1\nb = { c = { d = 2 } }\n[[e]]\n[[e]]\nf = 3\n[e.g]\nh = 4\n")
    assert line_of(places, ("b", "c", "d")) == 2
    assert line_of(places, ("e", 1, "f")) == 5
    assert line_of(places, ("e", 1, "g", "h")) == 7
    assert line_of(places, ("nowhere",)) is None


# --- the seed content itself -------------------------------------------------------------------


@pytest.fixture(scope="module")
def seeds() -> Content:
    return load(resource_dir("schema") / "content", resource_dir("node_branding"))


def test_the_seeds_hold_what_was_promised(seeds: Content) -> None:
    """Six pages on their routes, nine named components, four nodes, a few dozen tokens."""
    assert {page.key: page.route for page in seeds.pages} == {
        "robbie-play-home": "/play/",
        "robbie-play-blackjack": "/play/blackjack",
        "robbie-work-home": "/work/",
        "robbie-work-dashboard": "/work/dashboard",
        "robbie-code-home": "/code/",
        "robbie-about": "/about",
    }
    named = "robbie-bar mood-indicator matrix-rain chat-interface sticky-notes money-dashboard"
    named += " daily-brief app-links blackjack-table"
    assert set(named.split()) <= {component.key for component in seeds.components}
    assert len(seeds.nodes) == 4
    assert len(seeds.tokens) > 36


def test_the_seeds_use_every_zone_and_layout(seeds: Content) -> None:
    """Each zone and each layout is shown by some seed page."""
    zones = {block.zone for page in seeds.pages for block in page.blocks}
    layouts = {path.name.split(".")[0] for path in layout_files()}
    assert zones == set(ZONES)
    assert {page.layout for page in seeds.pages} == layouts


def layout_files() -> Iterator[Path]:
    folder = resource_dir("templates") / "layouts"
    return (path for path in folder.glob("*.html.j2") if not path.name.startswith("_"))


def test_the_seeds_show_both_forms_of_schema(seeds: Content) -> None:
    """Some schemas are JSON Schema, some the bare map of property to subschema."""
    schemas = [cast("dict[str, Any]", row.props_schema) for row in seeds.components]
    assert any("properties" in schema for schema in schemas)
    assert any("properties" not in schema for schema in schemas)


def test_every_placed_component_is_there(seeds: Content) -> None:
    """No seed page places a component that the folder lacks."""
    placed = {block.component for page in seeds.pages for block in page.blocks}
    assert placed <= {component.key for component in seeds.components}


def test_every_page_has_one_first_heading(seeds: Content) -> None:
    """A page opens with one hero, or with a table that says it is the page."""
    for page in seeds.pages:
        first = [
            block
            for block in page.blocks
            if block.component == "page-hero" or block.props.get("heading") == "h1"
        ]
        assert len(first) == 1, page.key


def test_looks_come_from_tokens_that_exist(seeds: Content) -> None:
    """No stylesheet names a custom property that is neither a token nor set where it is used."""
    tokens = {"--" + token.key.replace(".", "-") for token in seeds.tokens}
    sheets = {component.key: component.css or "" for component in seeds.components}
    for name in ("base.css", "layout.css"):
        sheets[name] = (resource_dir("templates") / name).read_text()
    sheets |= {node.id: node.custom_css for node in seeds.nodes}
    for name, sheet in sheets.items():
        own = set(re.findall(r"^\s*(--[\w-]+):", sheet, re.MULTILINE))
        used = set(re.findall(r"var\((--[\w-]+)", sheet))
        assert used <= tokens | own, name


def test_components_state_no_colour_of_their_own(seeds: Content) -> None:
    """Colours are the node's to choose: components know shades of black and white, no more."""
    for component in seeds.components:
        stated = re.findall(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\([^)]*\)", component.css or "")
        allowed = re.compile(r"#000|rgb\((?:0 0 0|255 255 255) / [\d.]+\)")
        assert all(allowed.fullmatch(colour) for colour in stated), (component.key, stated)


def test_renders_read_no_clock_dice_or_locale(seeds: Content) -> None:
    """What a render can't repeat would hydrate wrongly: no Date, no toLocaleString; and dice only
    in the rain's effect."""
    for component in seeds.components:
        assert not re.search(r"Date\.now|new Date|toLocale|Intl\.", component.code), component.key
        assert component.key == "matrix-rain" or "Math.random" not in component.code


GROUNDS = ("background", "surface", "surface-raised", "surface-sunken")
PAIRS = [
    *((text, ground) for text in ("text", "text-muted", "heading", "link") for ground in GROUNDS),
    *((text, ground) for text in ("accent", "success", "danger") for ground in GROUNDS),
    *((text, wash) for text in ("text", "heading") for wash in ("primary-soft", "accent-soft")),
    ("on-primary", "primary"),
    ("on-accent", "accent"),
    ("accent", "accent-soft"),
    ("on-felt", "felt"),
    ("card-black", "card"),
    ("card-red", "card"),
    *(("on-note", f"note-{hue}") for hue in (1, 2, 3, 4)),
]
LINES = [
    *(("border-strong", ground) for ground in GROUNDS),
    *(("focus", ground) for ground in GROUNDS),
    ("felt-line", "felt"),
]


@pytest.mark.parametrize(
    "node_id",
    ["", "vengeance-local", "aurora-town-local", "collaboration-local", "fluenti-local"],
)
def test_every_node_keeps_its_contrast(seeds: Content, node_id: str) -> None:
    """WCAG 2.2: 4.5:1 for text on what it stands on (1.4.3), 3:1 for a control's edge (1.4.11)."""
    tokens = {token.key: token.value for token in seeds.tokens}
    for node in seeds.nodes:
        if node.id == node_id:
            tokens |= {
                key: str(value) for key, value in cast("dict[str, Any]", node.overrides).items()
            }
    low = [
        (one, other, round(found, 2))
        for pairs, least in ((PAIRS, 4.5), (LINES, 3.0))
        for one, other in pairs
        if (found := contrast(tokens[f"color.{one}"], tokens[f"color.{other}"])) < least
    ]
    assert low == []


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


EXAMPLE = 'title = "One"\n\n[props]\nmood = "calm"\n'
MOODS = '{"type": "object", "properties": {"mood": {"enum": ["calm", "sleepy", "playful"]}}}'


def test_examples_are_read_with_their_component(folder: Path, write: Write) -> None:
    """An example is no part of the row. One that the schema refuses is named with its line, and
    keeps the component no more out than one that is no TOML."""
    write("components/bar/props.schema.json", MOODS)
    before = load(folder).components
    write("components/bar/examples/one.toml", EXAMPLE)
    write("components/bar/examples/wrong.toml", EXAMPLE.replace("calm", "angry"))
    write("components/bar/examples/none.toml", "= 1")
    found, wrong = load_sound(folder)
    assert found.components == before
    one, other = found.components[0].examples
    assert (one.name, one.title, one.props) == ("one", "One", {"mood": "calm"})
    assert (other.name, other.props) == ("wrong", {"mood": "angry"})
    assert [(Path(each.key).name, each.line) for each in wrong] == [
        ("none.toml", 1),
        ("wrong.toml", 4),
    ]
    assert "props at /mood" in wrong[1].what


def test_an_example_is_saved_over_no_other(folder: Path, write: Write) -> None:
    """A new example has a new name; one that is replaced must be as it was read, and keeps its
    comments and description; props that the schema refuses, and names that lead elsewhere, are
    refused; and an export touches no example but that of a component which is gone."""
    write("components/bar/props.schema.json", MOODS)
    (row,) = load(folder).components
    file = save_example(row, "one", "One", {"mood": "calm"}, before=None)
    assert file.read_text() == EXAMPLE
    with pytest.raises(UsageError, match="is there already"):
        save_example(row, "one", "Other", {}, before=None)
    file.write_text('# mine\ndescription = "Calm"\n' + EXAMPLE)
    with pytest.raises(UsageError, match="was changed meanwhile"):
        save_example(row, "one", "One", {}, before=sha256(EXAMPLE))
    (row,) = load(folder).components
    save_example(row, "one", "One", {"mood": "sleepy"}, before=row.examples[0].digest)
    assert file.read_text() == '# mine\ndescription = "Calm"\n' + EXAMPLE.replace("calm", "sleepy")
    for name, props, what in (
        ("../one", {}, "the example's name"),
        ("two", {"mood": "angry"}, "refuses these props at /mood"),
        ("two", {"mood": "\0"}, "NUL"),
    ):
        with pytest.raises(UsageError, match=what):
            save_example(row, name, "Two", props, before=None)
    content = load(folder)
    kept = export(Stored(content=content), folder, folder.parent / "nodes", prune=True)
    assert (kept.removed, file.is_file()) == ((folder.parent / "nodes/one.toml",), True)
    export(Stored(content=Content()), folder, folder.parent / "nodes", prune=True)
    assert not (folder / "components/bar").exists()


def test_a_mark_of_the_byte_order_is_passed_over(folder: Path, write: Write) -> None:
    """Some editors begin each file with it."""
    write("components/bar/props.schema.json", '\ufeff{"a": {"type": "string"}}')
    write("pages/home.toml", "\ufeff" + PAGE)
    (row,) = (row for row in load(folder).components if row.key == "bar")
    assert row.props_schema == {"a": {"type": "string"}}


@pytest.mark.parametrize(
    ("file", "text", "remedy"),
    [
        ("pages/home.toml", PAGE.replace('"Home"', "Watering"), "write a text in quotes"),
        ("tokens.toml", 'color.leaf = { value = "#fff" }', 'quote the key: "color.leaf" = ...'),
        ("tokens.toml", 'color.leaf = "#fff"', 'quote the key: "color.leaf" = ...'),
        ("components/bar/props.schema.json", '{"a": 1,}', "no comma before }"),
        ("components/bar/props.schema.json", '{"a" 1}', "put a colon"),
        ("components/bar/props.schema.json", '{\n// a\n"a": {}}', "take the comment away"),
        ("components/bar/props.schema.json", '{"a": 1 /* b */}', "take the comment away"),
        ("components/bar/props.schema.json", "```json\n{}\n```", "the lines with ```"),
        ("components/bar/props.schema.json", "{\u201ca\u201d: 1}", "straight quotation marks"),
        ("components/bar/props.schema.json", "z.object({ a: z.string() })", "another language"),
        ("components/bar/props.schema.json", "interface Props { a: 1 }", "another language"),
        ("components/bar/props.schema.json", " \n", "write {}, or remove the file"),
        ("components/bar/props.schema.json", '{"a": NaN}', "write a number, or null"),
        ("components/bar/props.schema.json", "null", "write {}, or remove the file"),
        ("tokens.toml", '```toml\n"color.a" = { value = "#fff" }\n```', "the lines with ```"),
    ],
)
def test_a_mistake_of_writing_has_a_remedy_of_its_own(
    folder: Path, write: Write, file: str, text: str, remedy: str
) -> None:
    """It says what to write, and not where a standard stands."""
    write(file, text)
    with pytest.raises(ContentError) as caught:
        load(folder)
    (problem,) = caught.value.problems
    assert remedy in problem.remedy
