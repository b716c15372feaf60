"""The JSON Schemas for editors say of files what the reader says of them."""

from __future__ import annotations

import json
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from robbieblocks.content import export, file_schemas, load, start_project
from robbieblocks.content.storing.stored import Stored
from robbieblocks.errors import ContentError
from robbieblocks.settings import SETTINGS, resource_dir

SCHEMAS = file_schemas()
KINDS = {
    "content/pages/*.toml": "page",
    "content/components/*/component.toml": "component",
    "content/components/*/props.schema.json": "props",
    "content/components/*/examples/*.toml": "example",
    "content/tokens.toml": "tokens",
    "node_branding/*.toml": "node",
    "robbieblocks.toml": "project",
}


def mistakes(kind: str, text: str) -> list[str]:
    """What a schema says of a file's text."""
    value = json.loads(text) if kind == "props" else tomllib.loads(text)
    # An editor sees a time as a text.
    plain = json.loads(json.dumps(value, default=datetime.isoformat))
    validator = jsonschema_rs.Draft202012Validator(SCHEMAS[kind], offline=True)
    return [error.message for error in validator.iter_errors(plain)]


def checked(project: Path) -> int:
    """How many files of a project fit; one that does not fails the test."""
    count = 0
    for pattern, kind in KINDS.items():
        for file in project.glob(pattern):
            assert mistakes(kind, file.read_text()) == [], file
            count += 1
    return count


def test_a_frame_alone_has_neither_route_nor_layout() -> None:
    """A page without them does not fit; a frame does, and a 404 page needs no route."""
    page = 'name = "A"\napp = "a"\n'
    assert len(mistakes("page", page)) == 2
    assert len(mistakes("page", page + "[metadata]\nframe = false")) == 2
    assert mistakes("page", page + "[metadata]\nframe = true") == []
    lost = "[metadata]\nnot_found = true"
    assert mistakes("page", page + 'layout = "dashboard"\n' + lost) == []
    assert len(mistakes("page", page + lost)) == 1


def test_every_file_that_comes_with_the_package_fits(tmp_path: Path) -> None:
    """The files of a new project, the demo's, and the demo's as they are exported fit."""
    start_project(tmp_path / "new", "site", ["day", "night"])
    assert checked(tmp_path / "new") == 8
    schema, branding = resource_dir("schema"), resource_dir("node_branding")
    assert checked(schema) > 20
    for file in branding.glob("*.toml"):
        assert mistakes("node", file.read_text()) == [], file
    demo = load(schema / "content", branding)
    place = tmp_path / "exported"
    export(Stored(content=demo), place / "content", place / "node_branding")
    assert checked(place) >= checked(schema) + len(demo.nodes)


PAGE = 'name = "Home"\napp = "play"\nroute = "/play/"\nlayout = "single-column"\n'
COMPONENT = 'name = "Bar"\ntype = "widget"\n'
NODE = 'node_id = "one"\nnode_name = "One"\n'


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("page", PAGE.replace("name", "nmae")),
        ("page", PAGE + 'titel = "x"\n'),
        ("page", PAGE + 'status = "live"\n'),
        ("page", PAGE + "version = 3000000000\n"),
        ("page", PAGE + 'version = "1"\n'),
        ("page", PAGE + f'title = "{"x" * 256}"\n'),
        ("page", PAGE + 'metadata = "x"\n'),
        ("page", PAGE + '[[blocks]]\norder = 1\nzone = "main"\n'),
        ("page", PAGE + '[[blocks]]\norder = 1\nzone = "main"\ncomponent = "bar"\nprop = {}\n'),
        ("page", PAGE + 'blocks = "x"\n'),
        ("component", 'name = "Bar"\n'),
        ("component", COMPONENT + "dependencies = [1]\n"),
        ("component", COMPONENT + 'published = "yes"\n'),
        ("component", COMPONENT + 'version = "' + "1" * 21 + '"\n'),
        ("tokens", '"color.primary" = "#fff"\n'),
        ("tokens", '"color.primary" = { vale = "#fff" }\n'),
        ("node", NODE + 'theme = "drak"\n'),
        ("node", NODE + 'enabled_apps = "play"\n'),
        ("node", 'node_id = "one"\n'),
        ("props", "[]"),
        ("props", '{"type": "objekt"}'),
    ],
)
def test_what_the_reader_refuses_fits_no_schema(kind: str, text: str, tmp_path: Path) -> None:
    """A misspelt key, a wrong type and a missing value are mistakes to both."""
    assert mistakes(kind, text)
    if kind != "props":  # a schema is judged where props are validated
        folder, branding = tmp_path / "content", tmp_path / "node_branding"
        places = {
            "page": folder / "pages" / "home.toml",
            "component": folder / "components" / "bar" / "component.toml",
            "tokens": folder / "tokens.toml",
            "node": branding / "one.toml",
        }
        component = places["component"]
        component.parent.mkdir(parents=True)
        branding.mkdir()
        component.write_text(COMPONENT)
        (component.parent / "component.tsx").write_text("<p/>")
        assert load(folder, branding).components
        places[kind].parent.mkdir(exist_ok=True)
        places[kind].write_text(text)
        with pytest.raises(ContentError):
            load(folder, branding)


def test_the_schema_of_settings_has_every_key() -> None:
    """robbieblocks.toml is completed with each setting, what it means, and its choices."""
    tables: dict[str, Any] = SCHEMAS["project"]["properties"]
    for setting in SETTINGS:
        table, _, key = setting.key.partition(".")
        if key:
            assert tables[table]["properties"][key]["description"] == setting.meaning
    assert mistakes("project", '[checks]\ntypes = "loud"\n')
    assert mistakes("project", '[site]\nrot = "x"\n')
