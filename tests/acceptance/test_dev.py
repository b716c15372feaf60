"""`robbieblocks dev` as a person uses it: files, rows and templates saved, and a real Chromium."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import Page, Response, expect

from robbieblocks.content import start_project
from tests import loopback
from tests.browser.chromium import Noise, accessibility_violations
from tests.commands import Installation
from tests.databases import Databases
from tests.workers import until

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

NOTE = """
import { useState } from "react";
import label from "@robbieblocks/label";

export default function Note() {
  const [text, setText] = useState("");
  return <label>{label} <input value={text} onChange={(e) => setText(e.target.value)} /></label>;
}
"""
PLAIN = "export default () => <p className='plain'>As it was</p>;"
# React notes on each element that it has hydrated what it is.
_HYDRATED = """
[...document.querySelectorAll("button, input")].every(
  (element) => Object.keys(element).some((key) => key.startsWith("__react")))
"""
FAILING = """
import { useEffect } from "react";
import label from "@robbieblocks/label";

export default function Plain({ nothing }: { nothing?: any }) {
  useEffect(() => {
    if (location.hash === "#fail") {
      const { length } = nothing.items;
      console.log(length);
    }
  }, []);
  return (
    <p className="plain">
      As it was prerendered <button onClick={() => (label as any)("x")}>Call</button>
      <button onClick={() => void Promise.reject(new RangeError("too late"))}>Promise</button>
    </p>
  );
}
"""
MUG = "export default ({ name }) => <p className='mug'>{name}</p>;"
BLOCKS = """
[[blocks]]
order = 12
zone = "main"
component = "note"

[[blocks]]
order = 13
zone = "main"
component = "plain"
"""
DRAFT = """
name = "Soon"
app = "site"
route = "/site/soon/"
layout = "single-column"
status = "draft"
"""

TEMPLATE = """
name = "{$row.name}"
app = "site"
route = "/site/mugs"
layout = "single-column"

[[blocks]]
order = 1
zone = "main"
component = "mug"
[blocks.props]
name = { "$row" = "name" }
"""
COLLECTION = """
[collections.mugs]
view = "mugs"
route = "/site/mugs/{slug}"
template_page = "mug"

[applications]
"/api" = "http://127.0.0.1:1"
"""


@dataclass(frozen=True, kw_only=True)
class Dev:
    """A project that is being worked on: its folder and database, and where its nodes are shown."""

    folder: Path
    database_url: str
    urls: dict[str, str]

    def write(self, file: str, text: str) -> None:
        """Save a file as editors do: aside, then in its place."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name("." + path.name)
        aside.write_text(text)
        aside.replace(path)

    def replace(self, file: str, old: str, new: str) -> None:
        """Save a file with another text in it."""
        before = (self.folder / file).read_text()
        assert old in before
        self.write(file, before.replace(old, new))

    def sql(self, statement: str) -> None:
        """What an editor does in the database."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def dev(
    databases: Databases,
    warm_cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
    schema_template: str,
) -> Iterator[Dev]:
    """The server over a project of two nodes, with a component that keeps what is typed."""
    folder = tmp_path_factory.mktemp("dev") / "site"
    start_project(folder, "site", ["day", "night"])
    home = folder / ".robbieblocks"
    shutil.copytree(warm_cache, home / "cache")
    with databases.copy(schema_template) as conninfo:
        found = Dev(folder=folder, database_url=conninfo, urls={})
        codes = {"note": NOTE, "plain": PLAIN, "mug": MUG, "label": 'export default "Note";'}
        for key, code in codes.items():
            found.write(f"content/components/{key}/component.tsx", code)
            found.write(
                f"content/components/{key}/component.toml",
                f'name = "{key}"\ntype = "{"module" if key == "label" else "widget"}"\n',
            )
        home_page = (folder / "content/pages/home.toml").read_text()
        found.write("content/pages/home.toml", home_page + BLOCKS)
        found.write("content/pages/soon.toml", DRAFT)
        found.write("content/pages/mug.toml", TEMPLATE)
        with (folder / "robbieblocks.toml").open("a") as settings:
            settings.write(COLLECTION)
        with psycopg.connect(conninfo) as connection:
            connection.execute("DELETE FROM robbieblocks_style_tokens")
            connection.execute("DELETE FROM robbieblocks_node_branding")
            connection.execute("CREATE TABLE mugs (slug text PRIMARY KEY, name text NOT NULL)")
            connection.execute("INSERT INTO mugs VALUES ('blue', 'Blue mug')")
        shell = Installation(home=home, database_url=conninfo)
        shell.run("collections", "install", "--apply", cwd=folder)
        with shell.running("dev", "--port", "0", cwd=folder) as process:
            assert process.stdout is not None
            for _ in range(2):
                node, url = process.stdout.readline().split()
                found.urls[node] = url
            yield found
        assert process.returncode == 0


def opened(page: Page, url: str) -> None:
    """Open a page and wait until its blocks are hydrated, and the client knows what it shows.

    What is typed before that goes, and a change that comes before that reloads the page.
    """

    def is_own(answer: Response) -> bool:
        return answer.request.resource_type == "fetch" and answer.url == url

    with page.expect_response(is_own) as first:
        page.goto(url)
    first.value.finished()
    until(lambda: page.evaluate(_HYDRATED), "hydration")


def marked(page: Page) -> bool:
    """Whether the page is still the one that `mark` marked."""
    return bool(page.evaluate("window.marked === true"))


def test_what_is_saved_is_shown_without_a_reload(dev: Dev, page: Page, noise: Noise) -> None:
    """A row, a component, a token and what a component imports: each shows in the open page, whose
    state, scroll and typed text stay; a template's change reloads it by itself."""
    opened(page, dev.urls["day"])
    page.get_by_label("Note").fill("typed")
    page.get_by_role("button", name="Counted to 0").click()
    page.evaluate("window.marked = true")

    dev.sql(
        'UPDATE robbieblocks_page_blocks SET props = props || \'{"title": "By a row"}\''
        " WHERE block_order = 1"
    )
    expect(page.locator("h1")).to_have_text("By a row")
    expect(page.get_by_role("button", name="Counted to 1")).to_be_visible()

    dev.replace("content/components/welcome/component.tsx", "Counted to", "Clicked to")
    expect(page.get_by_role("button", name="Clicked to 0")).to_be_visible()
    page.get_by_role("button", name="Clicked to 0").click()
    expect(page.get_by_role("button", name="Clicked to 1")).to_be_visible()

    dev.replace("content/components/plain/component.tsx", "As it was", "As it is")
    expect(page.locator(".plain")).to_have_text("As it is")

    tokens = (dev.folder / "content/tokens.toml").read_text()
    dev.write("content/tokens.toml", re.sub(r'"#f7f7f5"', '"#ddeeff"', tokens))
    expect(page.locator("body")).to_have_css("background-color", "rgb(221, 238, 255)")
    assert marked(page)
    assert page.get_by_label("Note").input_value() == "typed"

    dev.write("content/components/label/component.tsx", 'export default "Remark";')
    expect(page.get_by_label("Remark")).to_be_visible()
    expect(page.get_by_role("button", name="Clicked to 1")).to_be_visible()
    assert marked(page)

    dev.write("templates/layouts/_footer.html.j2", '<footer id="mine">Mine</footer>\n')
    expect(page.locator("#mine")).to_be_visible()
    assert not marked(page)
    assert str(noise) == ""


def test_a_row_of_a_collection_is_shown(dev: Dev, page: Page) -> None:
    """Its page follows the row, and a row that comes has one."""
    opened(page, str(httpx.URL(dev.urls["day"]).join("/site/mugs/blue")))
    expect(page.locator(".mug")).to_have_text("Blue mug")
    dev.sql("UPDATE mugs SET name = 'Blue mug, dented'")
    expect(page.locator(".mug")).to_have_text("Blue mug, dented")
    dev.sql("INSERT INTO mugs VALUES ('red', 'Red mug')")
    red = httpx.URL(dev.urls["night"]).join("/site/mugs/red")
    until(lambda: "Red mug" in httpx.get(red).text, "the new row's page")


def test_what_belongs_to_an_application_is_passed_on(dev: Dev) -> None:
    """The one of this project does not run; a page of another path is the project's own."""
    day = httpx.URL(dev.urls["day"])
    answer = loopback.get(day.join("/api/x"))
    assert (answer.status_code, answer.text) == (502, "the application at /api does not answer\n")
    assert loopback.get(day.join("/apiary")).status_code == 404


def test_an_error_is_shown_until_it_is_mended(dev: Dev, page: Page) -> None:
    """A component that breaks is named with its line, over the page as it was; mended, that goes,
    and what was typed into another island is still there. So with a file that can't be read."""
    page.goto(dev.urls["night"])
    field = page.locator(".rb-block input")
    field.fill("typed")
    page.evaluate("window.marked = true")
    overlay = page.get_by_role("alert")
    file = "content/components/welcome/component.tsx"
    whole = (dev.folder / file).read_text()
    dev.write(file, whole.replace("<section", "<section <b>oops</b>"))
    expect(overlay).to_contain_text("component welcome, react_code, line 11")
    expect(overlay).to_contain_text("<b>oops</b>")
    expect(overlay).to_contain_text(f"{dev.folder / file}:11:")
    expect(page.locator("h1")).to_be_visible()
    dev.write(file, whole)
    expect(overlay).to_be_hidden()

    soon = (dev.folder / "content/pages/soon.toml").read_text()
    dev.write("content/pages/soon.toml", soon + "nonsense = \n")
    expect(overlay).to_contain_text("content/pages/soon.toml, line 7")
    dev.replace(file, "Clicked" if "Clicked" in whole else "Counted", "Pressed")
    expect(page.get_by_role("button", name="Pressed to 0")).to_be_visible()
    dev.write("content/pages/soon.toml", soon)
    expect(overlay).to_be_hidden()
    assert marked(page)
    assert field.input_value() == "typed"


def test_what_fails_in_the_browser_is_shown_with_its_line(
    dev: Dev, page: Page, noise: Noise
) -> None:
    """An effect, an event and a promise that fail are told with block, key, file and line of the
    stored code, in its names, until the next version; what is no component's is not."""
    file = "content/components/plain/component.tsx"
    whole = (dev.folder / file).read_text()
    dev.write(file, FAILING)
    page.goto(dev.urls["night"] + "#fail")
    overlay = page.get_by_role("alert")
    block = page.locator(".rb-block", has=page.locator(".plain")).get_attribute("id")
    expect(overlay).to_contain_text(f"component plain, react_code, line 8:34, block {block}")
    expect(overlay).to_contain_text("const { length } = nothing.items;")
    expect(overlay).to_contain_text(f"{dev.folder / file}:8:")
    expect(page.get_by_text("As it was prerendered")).to_be_visible()

    page.goto("about:blank")
    page.goto(dev.urls["night"])
    page.evaluate("setTimeout(() => { throw new Error('of nobody'); }, 0)")
    page.get_by_role("button", name="Call").click()
    expect(overlay).to_contain_text("TypeError: label is not a function")
    page.get_by_role("button", name="Promise").click()
    expect(overlay).to_contain_text("nothing handles it: RangeError: too late")
    expect(overlay).not_to_contain_text("of nobody")
    dev.write(file, whole)
    expect(overlay).to_be_hidden()
    noise.clear()


def test_the_bar_leads_to_nodes_widths_and_drafts(dev: Dev, page: Page, noise: Noise) -> None:
    """Drafts are shown until they are put off; a width shows the page in a frame; another node is
    shown at the same page."""
    soon = dev.urls["day"] + "soon/"
    page.goto(soon)
    expect(page.locator("main")).to_be_visible()
    assert page.title() == "Soon · day"
    page.get_by_label("drafts").uncheck()
    expect(page).not_to_have_title("Soon · day")
    page.get_by_label("drafts").check()
    expect(page).to_have_title("Soon · day")
    page.get_by_label("width").select_option("390")
    frame = page.frame_locator("iframe")
    expect(frame.locator("main")).to_be_visible()
    assert page.frames[1].evaluate("innerWidth") == 390
    page.get_by_label("node").select_option("night")
    page.wait_for_url(dev.urls["night"] + "soon/")
    noise.clear()


def test_a_connection_that_is_lost_is_made_again(dev: Dev, page: Page) -> None:
    """Where the server ends all of its connections, a later edit of a row is still shown."""
    page.goto(dev.urls["night"])
    dev.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'robbieblocks dev' AND datname = current_database()"
    )
    dev.sql(
        'UPDATE robbieblocks_page_blocks SET props = props || \'{"title": "Still here"}\''
        " WHERE block_order = 1"
    )
    expect(page.locator("h1")).to_have_text("Still here")
    expect(page.get_by_role("alert")).to_be_hidden()


CARD = """
export default function Card({ title, tone = "calm", count, links = [], disabled }) {
  return (
    <section className={`card ${tone}`}>
      <h2>{title}</h2>
      <p>{"*".repeat(count)}</p>
      <ul>{links.map((each) => <li key={each.href}><a href={each.href}>{each.label}</a></li>)}</ul>
      <button type="button" disabled={disabled} style={{ color: "#ccc", background: "#fff" }}>
        Press
      </button>
    </section>
  );
}
"""
CARD_CSS = ".card h2 { color: var(--color-primary); } .card button:hover { padding: 33px; }"
CARD_SCHEMA = """{
  "type": "object", "additionalProperties": false, "required": ["title"],
  "properties": {
    "title": {"type": "string", "minLength": 2},
    "tone": {"enum": ["calm", "loud"], "default": "calm"},
    "count": {"type": "integer", "minimum": 0, "maximum": 5, "default": 1},
    "disabled": {"type": "boolean"},
    "links": {"type": "array", "items": {
      "type": "object", "required": ["label"],
      "properties": {"label": {"type": "string"}, "href": {"type": "string"}}
    }}
  }
}"""


def test_the_workshop_shows_a_component_alone(dev: Dev, page: Page, noise: Noise) -> None:
    """A component that no page places is on both nodes at once; a control's change shows there, and
    one that the schema refuses is told at the control; it is hovered and narrow on demand; axe's
    findings are named; what is saved as an example is a file; and a component that breaks is told
    until it is mended. An example follows its file, until a person alters it: then it does not
    replace what came meanwhile. The workshop has no finding itself."""
    for name, text in (
        ("component.tsx", CARD),
        ("component.css", CARD_CSS),
        ("component.toml", 'name = "Card"\ntype = "content"\n'),
        ("props.schema.json", CARD_SCHEMA),
        ("examples/first.toml", 'title = "The first"\n[props]\ntitle = "From a file"\n'),
    ):
        dev.write(f"content/components/card/{name}", text)
    page.goto(dev.urls["day"])
    page.get_by_role("link", name="workshop").click()
    page.get_by_label("Search components").fill("car")
    page.get_by_role("link", name="Card").click()
    stages = [page.frame_locator(f"iframe[title='On {node}']") for node in ("day", "night")]
    for stage in stages:
        expect(stage.locator("h2")).to_have_text("From a file")
    colours = {stage.locator("h2").evaluate("e => getComputedStyle(e).color") for stage in stages}
    assert len(colours) == 2
    expect(page.locator("#findings")).to_contain_text("color-contrast")

    first = "content/components/card/examples/first.toml"
    dev.replace(first, "From a file", "From the file")
    expect(stages[0].locator("h2")).to_have_text("From the file")
    update = page.get_by_role("button", name="Update")
    expect(update).to_be_visible()

    page.get_by_label("title").fill("From a control")
    page.get_by_label("count", exact=True).fill("3")
    page.get_by_label("tone", exact=True).select_option("loud")
    page.get_by_role("button", name="Add an item").click()
    page.get_by_label("label").fill("A link")
    page.get_by_role("button", name="Add an item").click()
    page.get_by_label("label").nth(1).fill("Another")
    page.get_by_role("button", name="Move links 2 up").click()
    expect(page.get_by_label("label").first).to_have_value("Another")
    page.get_by_role("button", name="Remove links 1").click()
    expect(page.get_by_role("button", name="Remove links 1")).to_be_focused()
    for stage in stages:
        expect(stage.locator("h2")).to_have_text("From a control")
        expect(stage.locator(".card.loud")).to_contain_text("***")
        expect(stage.get_by_text("A link")).to_be_visible()
    page.get_by_label("title").fill("x")
    expect(page.get_by_label("title")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".field", has=page.get_by_label("title"))).to_contain_text("shorter than 2")
    page.get_by_label("title").fill("Right again")
    expect(stages[1].locator("h2")).to_have_text("Right again")
    expect(page.get_by_label("title")).not_to_have_attribute("aria-invalid", "true")
    dev.replace(first, "From the file", "By somebody else")
    expect(update).to_be_hidden()
    expect(page.get_by_label("title")).to_have_value("Right again")

    page.get_by_role("button", name="hover").click()
    expect(stages[0].locator("button")).to_have_css("padding-top", "33px")
    page.get_by_role("button", name="disabled").click()
    expect(stages[1].locator("button")).to_be_disabled()
    page.get_by_role("button", name="768").click()
    assert page.frames[1].evaluate("innerWidth") == 768
    expect(page.get_by_label("disabled", exact=True)).to_be_checked()
    own = [each for each in accessibility_violations(page) if "Press" not in each]
    assert own == []

    page.get_by_label("Save as an example").fill("The second!")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="The second!", exact=True)).to_be_visible()
    saved = (dev.folder / "content/components/card/examples/the-second.toml").read_text()
    assert tomllib.loads(saved) == {
        "title": "The second!",
        "props": {
            "title": "Right again",
            "tone": "loud",
            "count": 3,
            "disabled": True,
            "links": [{"label": "A link"}],
        },
    }
    dev.replace("content/components/card/component.tsx", "<section", "<section <b>oops</b>")
    problems = page.locator("main [role=alert]")
    expect(problems).to_contain_text("component card, react_code, line 4")
    expect(stages[0].locator("h2")).to_have_text("Right again")
    dev.write("content/components/card/component.tsx", CARD.replace("<h2>", "<h2>! "))
    expect(problems).to_be_hidden()
    expect(stages[1].locator("h2")).to_have_text("! Right again")
    dev.write("content/components/card/component.tsx", "export default () => { throw 'up'; };")
    expect(problems).to_contain_text("component card")
    assert "workshop-" not in problems.inner_text()
    page.get_by_label("Search components").fill("")
    page.get_by_role("link", name="plain").click()
    expect(page.locator("#findings")).to_contain_text("axe")
    page.get_by_role("link", name="Card").click()
    expect(page.locator("#findings")).to_have_text("Accessibility")
    expect(problems).to_contain_text("component card")
    assert str(noise) == ""


def test_controls_of_schemas_without_end_end(dev: Dev, page: Page) -> None:
    """A schema that leads to itself, many times or in what must be there, and one that asks for
    more than a tab holds."""
    page.goto(dev.urls["day"].removesuffix("site/") + "_rb-dev/workshop/")
    many = [{"$ref": "#"}] * 30
    endless = {"allOf": many, "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}}
    huge = {"type": "array", "minItems": 10**9, "items": {"type": "string", "minLength": 10**9}}
    kind, inner, items, text = page.evaluate(
        """async ([endless, huge]) => {
          const { firstValue, kindOf, resolved } = await import("/_rb-dev/workshop/schema.js");
          const value = firstValue(endless, { ...endless, required: ["a", "b"] });
          const list = firstValue(huge, huge);
          return [kindOf(resolved(endless, endless)), value, list.length, list[0].length];
        }""",
        [{**endless, "required": ["a", "b"]}, huge],
    )
    assert (kind, sorted(inner)) == ("object", ["a", "b"])
    assert 0 < items < 1000
    assert 0 < text < 100_000


def test_other_sites_are_refused(dev: Dev) -> None:
    """Neither a foreign name for this machine nor a page of another origin gets anything, and no
    script changes the view but the page's own."""
    url = httpx.URL(dev.urls["day"])
    assert loopback.get(url, headers={"host": f"evil.example:{url.port}"}).status_code == 400
    for path, headers in (
        ("/_rb-dev/events", {"origin": "https://evil.example"}),
        ("/_rb-dev/events", {"sec-fetch-site": "cross-site"}),
    ):
        assert loopback.get(url.join(path), headers=headers).status_code == 403
    view = url.join("/_rb-dev/view")
    assert httpx.post(view, headers={"origin": "null"}, json={}).status_code == 403
    assert httpx.post(view, json={"drafts": True, "at": "tomorrow"}).status_code == 400
    assert httpx.post(view, content=b"[" * 5000).status_code == 413
    # As it stands: httpx would take the `..` away.
    plain = HTTPConnection("127.0.0.1", url.port)
    plain.request("GET", "/_rb-dev/../main.js")
    assert plain.getresponse().status == 404
    plain.close()


def test_nothing_is_published(dev: Dev) -> None:
    """Neither the site root nor the history of runs knows of it, and the queue still waits."""
    assert not (dev.folder / ".robbieblocks" / "site").exists()
    with psycopg.connect(dev.database_url) as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM robbieblocks_deploys),"
            " (SELECT count(*) FROM robbieblocks_change_triggers WHERE processed_at IS NULL) > 0"
        ).fetchone()
    assert counts == (0, True)
