"""Compiled templates are kept by the process, and never those of other files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import jinja2
import pytest

from robbieblocks.prerender import PageRenderer
from robbieblocks.prerender.page.templates import Templates
from robbieblocks.settings import Settings

TEMPLATES = Settings.from_environment().templates


def test_what_was_compiled_is_not_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that opens the same templates again takes what it has."""
    PageRenderer(*TEMPLATES)
    compiled: list[Any] = []
    whole: Any = jinja2.Environment.compile

    def noted(self: jinja2.Environment, *given: Any, **named: Any) -> Any:
        compiled.append(given)
        return whole(self, *given, **named)

    monkeypatch.setattr(jinja2.Environment, "compile", noted)
    PageRenderer(*TEMPLATES)
    assert not compiled


def text(folder: Path) -> str:
    """What the template in the folder renders, opened anew."""
    templates = Templates(folder)
    return templates.rendered(templates.compiled("outer.html.j2"), {"x": "<"})


def test_an_edit_of_what_a_template_inlines_is_seen(tmp_path: Path) -> None:
    """Though the template itself is as it was; and back again."""
    (tmp_path / "outer.html.j2").write_text('{% inline "inner.html.j2" %}')
    inner = tmp_path / "inner.html.j2"
    inner.write_text("one {{ x }}")
    assert text(tmp_path) == "one &lt;"
    inner.write_text("two {{ x }}")
    assert text(tmp_path) == "two &lt;"
    inner.write_text("one {{ x }}")
    assert text(tmp_path) == "one &lt;"


def test_a_folder_that_overrides_one_template_has_its_own(tmp_path: Path) -> None:
    """Equal names in other folders are other templates."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    (first / "outer.html.j2").write_text("first")
    shutil.copytree(first, second)
    (second / "outer.html.j2").write_text("second")
    assert (text(first), text(second)) == ("first", "second")
