"""Where the styles of an app's pages stand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from robbieblocks.model import (
    AssembledPage,
    Asset,
    Bundle,
    Manifest,
    Module,
    PageEntry,
    StyleForm,
    sha256,
)
from robbieblocks.pipeline.brand_fingerprint import BrandFingerprint
from robbieblocks.pipeline.context import BuildContext
from robbieblocks.pipeline.fingerprints import Fingerprints, styles_are_linked


@pytest.mark.parametrize(
    ("said", "pages", "is_linked", "linked", "form"),
    [
        ("auto", 0, False, False, "inline"),
        ("auto", 1_000, False, False, "inline"),
        ("auto", 1_000, True, False, "fixed"),
        ("auto", 901, True, False, "fixed"),
        ("auto", 900, True, False, "inline"),
        ("auto", 1_001, False, False, "fixed"),
        ("inline", 10_000, True, False, "inline"),
        ("linked", 1, False, False, "linked"),
        ("fixed", 1, False, False, "fixed"),
        ("inline", 1, False, True, "separate"),
    ],
)
def test_the_setting_or_the_size_of_the_app_decides(
    said: str, pages: int, is_linked: bool, linked: bool, form: str
) -> None:
    """`auto` links at a fixed address from 1,001 pages on, down to 901; the development server
    links each sheet.
    """
    context: Any = SimpleNamespace(linked=linked, settings=SimpleNamespace(styles=said))
    assert BuildContext.style_form(cast("BuildContext", context), pages, lambda: is_linked) == form


def _live(*forms: StyleForm) -> Manifest:
    """What is live with a page of each form."""
    page = AssembledPage(
        key="p", app="a", route="/", path="index.html", layout="single-column", title=""
    )
    bundle = Bundle(
        modules={},
        runtime=Module(specifier="runtime", asset=Asset("runtime.js", b""), script=""),
        base_stylesheet=Asset("base.css", b""),
        utilities_for=lambda _keys, _words=frozenset(): None,
        isolate="",
    )
    entries: list[PageEntry] = []
    for form in forms:
        looked = Fingerprints(bundle, styles=form, templates="", toolchain="")
        digests = looked.input_digests(page, BrandFingerprint(sha256(""), ()))
        entries.append(
            PageEntry(key="p", route="/", path="", inputs=sha256(""), input_digests=digests)
        )
    return Manifest(node="n", app="a", files={}, pages=tuple(entries))


def test_what_is_live_tells_how_its_styles_were_made() -> None:
    """The form of most live pages counts, whatever one does that is held at an older version."""
    assert styles_are_linked([None, _live("linked", "inline", "fixed")])
    assert not styles_are_linked([_live("inline", "linked", "inline"), None])
    assert not styles_are_linked([None])
