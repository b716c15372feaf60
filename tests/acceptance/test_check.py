"""`robbieblocks check` over the seed content, over rows with faults, and over hostile ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import psycopg
import pytest

from tests.commands import Installation, Ran

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
CODE = """\
export default function Hero({ title, actions }) {
  return (
    <section className="hero-titel bg-primry" style={{ color: "var(--color-primry)" }}>
      <h1 id="main">{title} {new Date().toLocaleString()}</h1>
      <img src="/missing.png" />
      <a href="/plya/">{actions.map((each) => <a key={each.href} href={each.href}>x</a>)}</a>
      <a href="#gone">x</a>
      <p className="bg-primary text-primary">x</p>
      <p className="animate-[fdae_1s] md:w-[16] hover:[gpa:1px]">x</p>
      <p style={{ backgroundColr: "red" }}>x</p>
    </section>
  );
}
"""
CSS = """.hero-title {
  color: #777;
  background: #888;
  margin: var(--spacing-mdd);
  boder-left: 0;
}
"""
HOSTILE = "/a\x1b[31m\n::error file=x::%0A\u202e,:"
PROPS = {"title": "T", "actions": [{"label": "L", "href": HOSTILE}]}
# What is found in the component: the rule, the file, and what its line holds.
FOUND = (
    ("unknown-token", "component.tsx", "var(--color-primry)"),
    ("unknown-token", "component.css", "var(--spacing-mdd)"),
    ("unknown-property", "component.css", "boder-left"),
    ("unknown-property", "component.tsx", "md:w-[16]"),
    ("unknown-property", "component.tsx", "[gpa:1px]"),
    ("unknown-property", "component.tsx", "backgroundColr"),
    ("unknown-keyframes", "component.tsx", "animate-[fdae_1s]"),
    ("unknown-class", "component.tsx", "hero-titel"),
    ("unknown-class", "component.tsx", "bg-primry"),
    ("duplicate-id", "component.tsx", 'id="main"'),
    ("varying-block", "component.tsx", "new Date()"),
    ("image-alt", "component.tsx", "<img"),
    ("image-size", "component.tsx", "<img"),
    ("missing-file", "component.tsx", "/missing.png"),
    ("dead-link", "component.tsx", "/plya/"),
    ("dead-fragment", "component.tsx", "#gone"),
    ("contrast", "component.css", "color: #777"),
    ("contrast", "component.tsx", "bg-primary text-primary"),
)


def check(installation: Installation, folder: Path, *options: str, code: int = 1) -> Ran:
    ran = installation.run("check", *options, cwd=folder, GITHUB_WORKSPACE="")
    assert ran.code == code, ran.err + ran.out
    return ran


def documented() -> jsonschema_rs.Validator:
    """The JSON Schema of findings in docs/output.md."""
    _, _, told = (ROOT / "docs/output.md").read_text().partition("## `robbieblocks check ")
    found = re.search(r"```json\n(.*?)```", told, re.DOTALL)
    assert found
    schema = json.loads(found[1])
    return jsonschema_rs.validator_for(schema)


def test_the_seed_content_has_no_error(installation: Installation, tmp_path: Path) -> None:
    """The demo's pages are fit to be copied from."""
    ran = check(installation, tmp_path, "--format", "json", code=0)
    report = json.loads(ran.out)
    assert [str(error) for error in documented().iter_errors(report)] == []
    assert [each for each in report["findings"] if each["rule"] != "unused-token"] == []


@pytest.fixture
def project(installation: Installation, tmp_path: Path) -> Path:
    """A project with the seed's files, in which one component and one page have every fault."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "robbieblocks.toml").write_text('[checks]\nunused-token = "off"\n')
    with psycopg.connect(installation.database_url or "") as connection:
        connection.execute(
            "UPDATE robbieblocks_components SET react_code = %s, css_styles = %s"
            " WHERE component_key = 'page-hero'",
            (CODE, CSS),
        )
        changed = connection.execute(
            "UPDATE robbieblocks_page_blocks SET props = %s FROM robbieblocks_components AS c"
            " WHERE c.id = component_id AND component_key = 'page-hero'",
            (json.dumps(PROPS),),
        )
        assert changed.rowcount
        # The snapshot of a build has no page that no node shows.
        connection.execute(
            "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
            " layout_template, status)"
            " VALUES ('lost', 'plya', 'Lost', '/lost/', 'single-column', 'published')"
        )
    assert installation.run("content", "export", cwd=folder).code == 0
    return folder


def test_a_clock_that_nobody_puts_right_is_told(installation: Installation, tmp_path: Path) -> None:
    """A block that is never hydrated shows every visitor the build's own clock; one that is says
    that it changes."""
    with psycopg.connect(installation.database_url or "") as connection:
        connection.execute(
            "UPDATE robbieblocks_components SET react_code = %s, metadata = %s"
            " WHERE component_key = 'page-hero'",
            ("<p>{new Date().getFullYear()}</p>", json.dumps({"hydrate": "never"})),
        )
    ran = check(installation, tmp_path, "--format", "json", "--app", "play", code=0)
    (found,) = [each for each in json.loads(ran.out)["findings"] if each["rule"] == "varying-block"]
    assert "no browser puts it right" in found["what"]
    assert "1 January 2025" in found["what"]


def test_every_fault_is_annotated_at_the_line_of_its_file(
    installation: Installation, project: Path
) -> None:
    """`--format github` names file, line and column; a row's text begins no command of its own."""
    ran = check(installation, project, "--format", "github")
    *lines, counted = ran.out.splitlines()
    assert re.fullmatch(r"\d+ errors, \d+ warnings", counted)
    found = []
    for line in lines:
        parts = re.fullmatch(r"::(?:error|warning) ([^:]*)::([^\x1b\u202e]*)", line)
        assert parts, line
        place = dict(part.split("=", 1) for part in parts[1].split(","))
        text = (project / place["file"]).read_text().split("\n")[int(place["line"]) - 1]
        found.append((place["title"], place["file"], text, place.get("col")))
    for rule, file, held in FOUND:
        there = [
            (text, column)
            for title, named, text, column in found
            if title == rule and named == f"content/components/page-hero/{file}" and held in text
        ]
        assert there, (rule, found)
        assert any(column for _, column in there)
    lost = [place for place in found if place[0] == "unshown-page"]
    assert [(file, text) for _, file, text, _ in lost] == [
        ("content/pages/lost.toml", 'app = "plya"')
    ]
    hostile = [text for title, file, text, _ in found if "pages/" in file and title == "dead-link"]
    assert hostile
    assert all("actions" in text for text in hostile)


def test_json_and_text_tell_the_same_safely(installation: Installation, project: Path) -> None:
    """JSON is as documented, text acts on no terminal, and options narrow what is checked."""
    page: list[dict[str, Any]] = json.loads(
        check(installation, project, "--format", "json", "--page", "robbie-work-home").out
    )["findings"]
    assert documented().is_valid({"version": 1, "findings": page})
    assert {each["page"] for each in page if "page" in each} == {"robbie-work-home"}
    assert {rule for rule, _, _ in FOUND} <= {each["rule"] for each in page}
    text = check(installation, project / "content", "--node", "aurora-town-local").out
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "did you mean --color-primary" in text, text
    assert "  in components/page-hero/component.tsx:3\n" in text
    with psycopg.connect(installation.database_url or "") as connection:
        connection.execute(
            "UPDATE robbieblocks_pages SET status = 'draft' WHERE page_key = 'robbie-work-home'"
        )
    only = ("--page", "robbie-work-home")
    assert check(installation, project, *only, code=2).error
    drafts = check(installation, project, *only, "--drafts", "--format", "json").out
    assert {each["rule"] for each in json.loads(drafts)["findings"]} >= {"dead-link", "image-alt"}
