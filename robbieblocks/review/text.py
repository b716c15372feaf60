"""A review for a terminal: short, grouped, the most dangerous first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from robbieblocks.messages import visible_line
from robbieblocks.review.pictures import (
    Pictured,
    difference_text,
    left_out_text,
    pictures_text,
    remarks,
)
from robbieblocks.review.sentences import (
    base_text,
    cut,
    dangers,
    field_name,
    group_sentence,
    row_name,
    sizes,
    verdict,
)
from robbieblocks.review.values import FieldChange, PageEffect, Review, RowChange
from robbieblocks.review.words import unified_diff, word_diff

_ROWS_MAX: Final = 40
_LINES_MAX: Final = 12
_GROUPS_MAX: Final = 40
_PAGES_MAX: Final = 5
_FINDINGS_MAX: Final = 20
_VALUE_MAX: Final = 200


def as_text(review: Review) -> str:
    """The review as lines."""
    if not review.changed:
        return verdict(review)
    parts = [
        [verdict(review), f"against {base_text(review)}"],
        [f"! {each}" for each in cut(dangers(review), _ROWS_MAX, "danger")],
        list(cut(_groups(review), _GROUPS_MAX, "group")),
        _block("What differs", list(cut(map(row_text, review.rows), _ROWS_MAX, "row"))),
        _block("New findings", list(cut(_findings(review), _FINDINGS_MAX, "finding"))),
        _pictures(review),
        [f"note: {each}" for each in review.notes],
        [f"plan {review.hash[:12]}"],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _pictures(review: Review) -> list[str]:
    if review.pictures is None:
        return []
    lines: dict[tuple[str, str], list[Pictured]] = {}
    for each in review.pictures.taken:
        lines.setdefault((each.page.node, each.page.key), []).append(each)
    found = [
        pictures_text(review.pictures),
        *cut(map(_pictured, lines.values()), _ROWS_MAX, "page"),
    ]
    if left_out := left_out_text(review.pictures):
        found.append(left_out)
    return found


def _pictured(screens: list[Pictured]) -> str:
    page = screens[0].page
    said = ", ".join(map(difference_text, screens))
    more = dict.fromkeys(remark for each in screens for remark in remarks(each))
    title = visible_line(f"{page.route or page.key} on {page.node} ({screens[0].theme}): {said}")
    return "\n        ".join([f"    {title}", *map(visible_line, more)])


def _block(title: str, lines: list[str]) -> list[str]:
    return [f"{title}:", *lines] if lines else []


def _groups(review: Review) -> Iterator[str]:
    for causes, pages in review.groups:
        lines = [_capital(visible_line(group_sentence(causes, pages)))]
        shown = [page for page in pages if page.effect != "identical"]
        lines += cut(map(_page, shown), _PAGES_MAX, "page")
        yield "\n    ".join(lines)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _page(page: PageEffect) -> str:
    changes = [
        f"{name} {said}"
        for name, before_after in (
            ("html", page.html),
            ("js", page.scripts),
            ("css", page.styles),
        )
        if page.effect == "changed" and (said := sizes(*before_after))
    ]
    told = f"  {', '.join(changes)}" if changes else ""
    return f"{page.effect:<9}  {visible_line(f'{page.key}  {page.route}  {page.node}')}{told}"


def row_text(row: RowChange) -> str:
    """A row that differs, with its first fields that do."""
    mark = {"added": "+", "removed": "-", "changed": "~"}[row.change]
    lines = [f"{mark} {visible_line(row_name(row))}"]
    if row.change == "changed":
        lines += (line for change in row.fields for line in _field(change))
    return "\n    ".join(cut(lines, _LINES_MAX, "line"))


def _field(change: FieldChange) -> Iterator[str]:
    name = visible_line(field_name(change))
    if change.kind == "code":
        yield f"{name}:"
        yield from (f"  {visible_line(line)}" for line in unified_diff(change.before, change.after))
    elif change.kind == "move":
        yield f"{name} moves from {change.before} to {change.after}"
    elif change.kind == "text" and change.before and change.after:
        yield f"{name}: {_short(_words(change.before, change.after))}"
    elif change.before is None:
        yield f"{name}: + {_short(change.after or '')}" if change.field else f"{name} is added"
    elif change.after is None:
        yield f"{name}: - {_short(change.before)}" if change.field else f"{name} is removed"
    else:
        yield f"{name}: {_short(change.before)} -> {_short(change.after)}"


def _words(before: str, after: str) -> str:
    marks = {"both": "{}", "before": "[-{}-]", "after": "{{+{}+}}"}
    return "".join(marks[part.side].format(part.text) for part in word_diff(before, after))


def _short(text: str) -> str:
    line = visible_line(text)
    return line if len(line) <= _VALUE_MAX else line[: _VALUE_MAX - 1] + "…"


def _findings(review: Review) -> Iterator[str]:
    for each in review.findings:
        on = f" on {', '.join(each.nodes)}" if each.nodes else ""
        yield f"{each.problem.severity} ({each.rule}){on}: {each.problem}"
