"""A review as Markdown for a pull request: what matters first, the rest folded, never too long."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from robbieblocks.messages import counted, visible, visible_line
from robbieblocks.pull_request import MOST_CHARACTERS
from robbieblocks.review.pictures import Pictures, Thumbnails, left_out_text, pictures_text, remarks
from robbieblocks.review.sentences import (
    DANGEROUS,
    alike_findings,
    base_text,
    cause_text,
    cut,
    dangers,
    field_name,
    group_sentence,
    row_name,
    sizes,
    verdict,
)
from robbieblocks.review.values import FieldChange, NewFinding, PageEffect, Review, RowChange, Sizes
from robbieblocks.review.words import unified_diff, word_diff

_PAGES_MAX: Final = 50
_GROUPS_MAX: Final = 30
_DANGERS_MAX: Final = 20
_NODES_MAX: Final = 4
_COLUMNS: Final = ("page", "node", "effect", "cause", "html", "js (br)", "css (br)", "pictures")
_DIFF_LINES_MAX: Final = 60
_VALUE_MAX: Final = 300
# Room for the closing words.
_TAIL: Final = 1_000
# Characters that mean something to Markdown: as references they are shown and do nothing.
_ACTIVE: Final = re.compile(r"[\\`*_{}\[\]()<>#+!|~&@:/$.=-]|www|^\d+", re.IGNORECASE)


def as_markdown(
    review: Review, *, command: str = "", most: int = MOST_CHARACTERS, pictures_url: str = ""
) -> str:
    """The review in at most so many characters; what had to be left out is counted at the end.

    `command` reproduces it. `pictures_url` is where the preview's folder will be seen: without it
    pictures are counted, not shown. Texts of rows are shown as they are: none is read as Markdown
    or HTML, none mentions a person.
    """
    tail = _tail(review, command)
    room = most - len(tail) - _TAIL
    if not review.changed:
        return f"### {escaped(verdict(review))}\n\n{tail}"
    parts = [f"### {escaped(verdict(review))}\n", *_sections(review, pictures_url)]
    kept: list[str] = []
    left_out = 0
    for part in parts:
        if len(part) + 1 <= room:
            kept.append(part)
            room -= len(part) + 1
        else:
            left_out += 1
    if left_out:
        kept.append(
            f"**{counted(left_out, 'part')} left out**: a comment holds {most:,} characters. The "
            "command below shows all of it.\n"
        )
    return "\n".join([*kept, tail])


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, on one line."""
    # GitHub looks for people (@) and issues (#) in what is shown, but not in code: an invisible
    # space parts them from their names.
    return _referred(text).replace("&#64;", "&#64;&#8203;").replace("&#35;", "&#35;&#8203;")


def code(text: str) -> str:
    """A text as code in a line or a cell."""
    return f"<code>{_referred(text)}</code>"


def _referred(text: str) -> str:
    line = visible_line(text)
    return _ACTIVE.sub(lambda found: "".join(f"&#{ord(c)};" for c in found.group()), line)


def _sections(review: Review, pictures_url: str) -> Iterator[str]:
    found = list(dangers(review))
    if found:
        lines = [f"- **{escaped(each)}**" for each in found[:_DANGERS_MAX]]
        if len(found) > _DANGERS_MAX:
            lines.append(f"- **and {len(found) - _DANGERS_MAX} more**")
        yield "\n".join(lines) + "\n"
    errors = [each for each in review.findings if each.problem.severity == "error"]
    for alike in alike_findings(errors)[:_DANGERS_MAX]:
        title = "New error" if len(alike) == 1 else counted(len(alike), "new error")
        yield f"**{title}** ({escaped(alike[0].rule)})\n\n{_fenced(_problems(alike), 'text')}\n"
    groups = [
        f"- {escaped(group_sentence(causes, pages))}"
        for causes, pages in review.groups[:_GROUPS_MAX]
    ]
    if len(review.groups) > _GROUPS_MAX:
        groups.append(f"- and {len(review.groups) - _GROUPS_MAX} more causes")
    if groups:
        yield "\n".join(groups) + "\n"
    thumbnails = Thumbnails(review.pictures, pictures_url) if review.pictures else None
    yield from _table([page for page in review.pages if page.effect != "identical"], thumbnails)
    if review.pictures:
        yield from _pictures(review.pictures)
    yield from (_row(row) for row in review.rows)
    warnings = [each for each in review.findings if each.problem.severity != "error"]
    if warnings:
        texts = "\n\n".join(f"{each.problem} ({each.rule})" for each in warnings)
        yield _folded(counted(len(warnings), "new warning"), _fenced(texts, "text"))
    yield from (f"> {escaped(each)}\n" for each in review.notes)


def _problems(alike: Sequence[NewFinding]) -> str:
    """One problem whole; of several that differ only in their place, what is wrong, and where."""
    first = alike[0].problem
    if len(alike) == 1:
        return str(first)
    places = cut((f"- {each.problem.where}" for each in alike), _DANGERS_MAX, "place")
    remedy = [f"  -> {first.remedy}"] if first.remedy else []
    return "\n".join([first.what, *remedy, *places])


def _pictures(pictures: Pictures) -> Iterator[str]:
    said = {
        f"{each.page.route or each.page.key} on {each.page.node}: {remark}": None
        for each in pictures.taken
        for remark in remarks(each)
    }
    lines = list(cut(said, _DANGERS_MAX, "remark"))
    if left_out := left_out_text(pictures):
        lines.append(left_out)
    yield escaped(pictures_text(pictures)) + "\n"
    if lines:
        yield "\n".join(f"- {escaped(each)}" for each in lines) + "\n"


def _table(pages: Sequence[PageEffect], thumbnails: Thumbnails | None) -> Iterator[str]:
    """Each page once, with all nodes on which the same becomes of it; without empty columns."""
    nodes: dict[tuple[str, ...], list[str]] = {}
    for page in sorted(
        pages, key=lambda page: (page.effect not in DANGEROUS, page.app, page.key, page.node)
    ):
        nodes.setdefault(_cells(page, thumbnails), []).append(page.node)
    rows = [(name, _nodes(on), *rest) for (name, *rest), on in nodes.items()]
    if not rows:
        return
    used = [index for index in range(len(_COLUMNS)) if any(row[index] for row in rows)]
    head = [_line([_COLUMNS[index] for index in used]), _line(["---"] * len(used))]
    lines = [_line([row[index] for index in used]) for row in rows]
    yield "\n".join([*head, *lines[:_PAGES_MAX]]) + "\n"
    rest = lines[_PAGES_MAX:]
    if rest:
        shown = rest[: 4 * _PAGES_MAX]
        more = len(rest) - len(shown)
        said = f"\n\nand {counted(more, 'row')} more" if more else ""
        yield _folded(counted(len(rest), "more row"), "\n".join([*head, *shown]) + said)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _nodes(nodes: Sequence[str]) -> str:
    more = len(nodes) - _NODES_MAX
    return ", ".join(map(code, nodes[:_NODES_MAX])) + (f" and {more} more" if more > 0 else "")


def _cells(page: PageEffect, thumbnails: Thumbnails | None) -> tuple[str, ...]:
    """What is said of a page, in the order of the columns, without its node."""
    causes = ", ".join(escaped(cause_text(cause)) for cause in page.causes[:3])
    # What a page weighed that is gone helps nobody.
    weights = () if page.effect == "removed" else (page.html, page.scripts, page.styles)
    return (
        code(page.route or page.key),
        f"**{page.effect}**" if page.effect in DANGEROUS else page.effect,
        causes + (", …" if len(page.causes) > 3 else ""),
        *(escaped(sizes(*each)) for each in weights or (Sizes(),) * 3),
        thumbnails.of(page) if thumbnails and thumbnails.any else "",
    )


def _row(row: RowChange) -> str:
    summary = f"{row.change}: {code(row_name(row))}"
    body = "\n\n".join(filter(None, map(_field, row.fields))) if row.change == "changed" else ""
    return _folded(summary, body) if body else f"- {summary}\n"


def _field(change: FieldChange) -> str:
    name = code(field_name(change))
    if change.kind == "code":
        lines = unified_diff(change.before, change.after)
        more = len(lines) - _DIFF_LINES_MAX
        shown = [
            *lines[:_DIFF_LINES_MAX],
            *([f"… {counted(more, 'line')} more"] if more > 0 else []),
        ]
        return f"{name}\n\n{_fenced(chr(10).join(shown), 'diff')}"
    if change.kind == "move":
        return f"{name} moves from {change.before} to {change.after}"
    if change.kind == "text" and change.before and change.after:
        return f"{name}: {_words(change.before, change.after)}"
    if not change.field and change.block is not None:
        return f"{name} is {'added' if change.before is None else 'removed'}"
    return f"{name}: {_value(change.before)} → {_value(change.after)}"


def _words(before: str, after: str) -> str:
    marks = {"both": "{}", "before": "<del>{}</del>", "after": "<ins>{}</ins>"}
    parts = word_diff(before, after)
    return "".join(marks[part.side].format(escaped(_short(part.text))) for part in parts)


def _value(value: str | None) -> str:
    return "nothing" if value is None else code(_short(value))


def _short(text: str) -> str:
    return text if len(text) <= _VALUE_MAX else text[: _VALUE_MAX - 1] + "…"


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>\n"


def _fenced(text: str, language: str) -> str:
    """A block of code that its text can't end, in which nothing acts."""
    shown = visible(text)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", shown)), 0)
    return f"{fence}{language}\n{shown}\n{fence}"


def _tail(review: Review, command: str) -> str:
    base = escaped(base_text(review))
    lines = [f"<sub>Against {base} · plan <code>{review.hash[:12]}</code></sub>"]
    if command:
        lines.append(f"\n{_fenced(command, 'sh')}")
    return "\n".join(lines)
