"""The report: one HTML file without scripts, in which no text of a row acts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from robbieblocks.messages import counted, visible, visible_line
from robbieblocks.review import pictures as of_pictures
from robbieblocks.review import sentences, words
from robbieblocks.review.pictures import Pictured, Pictures, view_file
from robbieblocks.review.values import Review

_FILES: Final = Path(__file__).resolve().parent / "files"
_PAGES_MAX: Final = 5_000
_DIFF_LINES_MAX: Final = 2_000
_PICTURED_MAX: Final = 48
# Bytes of pictures in a report that loads nothing.
_EMBEDDED_MAX: Final = 6_000_000
# The CSP sources of what lies in the folder: one that is opened from disk is no origin.
IN_FOLDER: Final = "'self' file:"


def as_html(
    review: Review, *, command: str = "", views: Mapping[tuple[str, str], str] | None = None
) -> str:
    """The review as one HTML file that loads nothing; pictures are in it, up to a bound.

    `command` reproduces it. `views` has, by node and page key, the address of the file
    that shows a page on both sides; then pictures are loaded from the folder of that file.
    """
    pictures = review.pictures or Pictures()
    addresses = _embedded(pictures) if views is None else _files(pictures)
    shown = [each for each in pictures.shown if _are_in(each, addresses)]
    pages = [page for page in review.pages if page.effect != "identical"]
    return filled(
        "report.html.j2",
        styles=("common.css", "report.css"),
        review=review,
        command=command,
        pages=sorted(pages[:_PAGES_MAX], key=lambda page: page.effect not in sentences.DANGEROUS),
        findings=[
            (f"New {kind}s", kind, found)
            for kind in ("error", "warning")
            if (found := [each for each in review.findings if each.problem.severity == kind])
        ],
        more_pages=len(pages[_PAGES_MAX:]),
        views=views or {},
        images="data:" if views is None else IN_FOLDER,
        pictures=review.pictures,
        pictured=shown[:_PICTURED_MAX],
        addresses=addresses,
        more_pictured=len(pictures.shown) - len(shown[:_PICTURED_MAX]),
        not_shown=[each for each in pictures.taken if not each.shown],
    )


def _files(pictures: Pictures) -> Mapping[str, str]:
    return {found.file: found.file for each in pictures.shown for found in each.pictures.values()}


def _embedded(pictures: Pictures) -> Mapping[str, str]:
    """The pictures that there is room for as data: addresses, by file; what differs most first."""
    found: dict[str, str] = {}
    left = _EMBEDDED_MAX
    for each in pictures.shown:
        new = {p.file: p.content for p in each.pictures.values() if p.file not in found}
        size = sum(map(len, new.values()))
        if size <= left:
            left -= size
            for file, content in new.items():
                found[file] = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return found


def _are_in(each: Pictured, addresses: Mapping[str, str]) -> bool:
    return all(picture.file in addresses for picture in each.pictures.values())


def filled(
    template: str,
    *,
    styles: tuple[str, ...],
    script: str = "",
    images: str = "'none'",
    **values: object,
) -> str:
    """A template of this package with its styles and script in it, and a CSP that allows these.

    `images` are the CSP sources of images.
    """
    style = "".join(map(text_of, styles))
    code = text_of(script) if script else ""
    policy = (
        f"default-src 'none'; style-src {source(style)}; img-src {images}; base-uri 'none'; "
        "form-action 'none'"
    )
    if code:
        policy += f"; script-src {source(code)}; frame-src 'self' file:"
    return (
        _templates()
        .get_template(template)
        .render(style=style, script=code, policy=policy, **_CALLED, **values)
    )


def text_of(name: str) -> str:
    """A file of this package."""
    return (_FILES / name).read_text("utf-8")


def source(text: str) -> str:
    """The CSP source that allows exactly this inline text."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


@cache
def _templates() -> Environment:
    found = Environment(
        loader=FileSystemLoader(_FILES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["line"] = visible_line
    found.filters["lines"] = visible
    return found


def _diff(before: str | None, after: str | None) -> list[tuple[str, str]]:
    """Lines of a diff, each with what it is: `before`, `after`, `place` or `both`."""
    lines = words.unified_diff(before, after)
    sides = {"-": "before", "+": "after", "@": "place"}
    shown = [(sides.get(line[:1], "both"), line) for line in lines[:_DIFF_LINES_MAX]]
    if len(lines) > _DIFF_LINES_MAX:
        shown.append(("place", f"… {counted(len(lines) - _DIFF_LINES_MAX, 'line')} more"))
    return shown


# What the templates call.
_CALLED: Final[Mapping[str, object]] = {
    "verdict": sentences.verdict,
    "base_text": sentences.base_text,
    "dangers": sentences.dangers,
    "group_sentence": sentences.group_sentence,
    "cause_text": sentences.cause_text,
    "field_name": sentences.field_name,
    "row_name": sentences.row_name,
    "sizes": sentences.sizes,
    "dangerous": sentences.DANGEROUS,
    "counted": counted,
    "pictures_text": of_pictures.pictures_text,
    "difference_text": of_pictures.difference_text,
    "left_out_text": of_pictures.left_out_text,
    "remarks": of_pictures.remarks,
    "view_file": view_file,
    "word_diff": words.word_diff,
    "unified_diff": _diff,
}
