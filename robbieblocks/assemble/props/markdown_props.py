"""Props with HTML, media and forms in place of the texts that their schema says stand for these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from robbieblocks.assemble.markdown.rendering import rendered_on
from robbieblocks.assemble.page_problems import PageProblems
from robbieblocks.assemble.placeholders import has_placeholder, resolved_object
from robbieblocks.assemble.props.embeds import Embed, origin_of, refusal
from robbieblocks.assemble.props.html_texts import with_addresses
from robbieblocks.assemble.props.markdown_places import Path
from robbieblocks.assemble.props.preparing import ReadyProps
from robbieblocks.assemble.props.texts_of_page import TextsOfPage
from robbieblocks.assemble.values import ValueProblem, checked_json
from robbieblocks.messages import json_pointer
from robbieblocks.model import BlockRow, Json, JsonObject, canonical_json


def replaced_props(
    ready: ReadyProps, row: BlockRow, faults: PageProblems, texts: TextsOfPage
) -> ReadyProps | tuple[ValueProblem, ...]:
    """The props with `{"__html": ...}`, as React takes it, in place of each text of Markdown, with
    addresses in texts of HTML, and what was made of media and forms in place of their names. Embeds
    are noted, and stay.

    Or what is wrong with the texts; what a library raises over one is collected in `faults`.
    """
    # A text in which placeholders were replaced is not what its author wrote.
    value = ready.value if ready.fill is None else ready.fill
    made: dict[Path, Json] = {}
    problems: list[ValueProblem] = []
    for path, found in _replacements(ready, value, row, faults, texts):
        if isinstance(found, ValueProblem):
            problems.append(found)
        else:
            made[path] = found
    if problems or len(made) < sum(map(len, ready.places)):
        return tuple(problems)
    filled = {name: _replaced(part, (name,), made) for name, part in value.items()}
    shown = resolved_object(filled)
    text = checked_json(shown)
    if isinstance(text, tuple):
        return text
    fills = shown is not filled and has_placeholder(canonical_json(filled))
    return ReadyProps(shown, text, filled if fills else None)


def _replacements(
    ready: ReadyProps,
    value: JsonObject,
    row: BlockRow,
    faults: PageProblems,
    texts: TextsOfPage,
) -> Iterator[tuple[Path, Json | ValueProblem]]:
    """For each place in the props, in the order of their kinds, what takes its place, or each thing
    that is wrong with it; nothing where a library raised.
    """
    for path in ready.places.media:
        yield path, texts.media.value(_at(value, path), path)
    for path in ready.places.forms:
        yield from _each(path, texts.forms.value(value, path, row))
    for path in ready.places.embeds:
        address = _at(value, path)
        yield path, _noted_embed(address, path, row, faults, texts) or address
    for path in ready.places.html:
        html = with_addresses(_at(value, path), texts.media, texts.links)
        if isinstance(html, ValueProblem):
            html = replace(html, pointer=json_pointer(*path))
        yield path, html
    for path in ready.places.markdown:
        pointer = json_pointer(*path)
        with faults.blame(row, "props", pointer):
            rendered, *wrong = _rendered(_at(value, path), texts)
            for each in wrong:
                yield path, replace(each, pointer=pointer)
            if not wrong:
                yield path, {"__html": rendered}


def _each(
    path: Path, found: JsonObject | tuple[ValueProblem, ...]
) -> Iterator[tuple[Path, Json | ValueProblem]]:
    if isinstance(found, tuple):
        yield from ((path, each) for each in found)
    else:
        yield path, found


def _noted_embed(
    address: str, path: Path, row: BlockRow, faults: PageProblems, texts: TextsOfPage
) -> ValueProblem | None:
    """Note a frame of the page, with the error that it is where a node refuses it."""
    pointer = json_pointer(*path)
    origin = origin_of(address, pointer)
    if isinstance(origin, ValueProblem):
        return origin
    texts.embeds.append(
        Embed(row.order, origin, faults.of_block(row, "props", refusal(origin, pointer)))
    )
    return None


def _rendered(text: str, texts: TextsOfPage) -> tuple[str, *tuple[ValueProblem, ...]]:
    """A text as HTML, and what is wrong with it."""
    if texts.budget.markdown_units <= 0:
        what = "rendering all Markdown of the page would take too long"
        return "", ValueProblem("", what, "split the page")
    made = rendered_on(texts.anchors, text)
    texts.budget.markdown_units -= made.units
    html: str | ValueProblem = made.html
    for named in (texts.media, texts.links):
        if isinstance(html, str):
            html = named.html(html, text)
    return ("", html) if isinstance(html, ValueProblem) else (html, *made.problems)


def _at(value: Json, path: Path) -> str:
    for step in path:
        if isinstance(value, list) and isinstance(step, int):
            value = value[step]
        elif isinstance(value, dict):
            value = value[str(step)]
    return str(value)


def _replaced(value: Json, path: Path, made: Mapping[Path, Json]) -> Json:
    """A value at a path, with what was made for the paths in it."""
    if path in made:
        return made[path]
    if isinstance(value, dict):
        return {name: _replaced(part, (*path, name), made) for name, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, (*path, index), made) for index, part in enumerate(value)]
    return value
