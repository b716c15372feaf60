"""What differs between two contents: rows by key, and each of their fields."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, NamedTuple

from robbieblocks.content import Block, Content, Page, is_packaged
from robbieblocks.model import Json
from robbieblocks.review.values import Change, Entity, FieldChange, Kind, RowChange
from robbieblocks.source_files import exact_json

# Whole texts: a colour as CSS writes it.
_COLOR: Final = re.compile(
    r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})|(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\([^()]*\)",
    re.IGNORECASE,
)
_CODE: Final = frozenset({"code", "css", "custom_css", "custom_scripts", "props_schema"})
_NOT_COMPARED: Final = frozenset({"key", "id", "blocks"})
# Deeper values are one value.
_DEEPEST: Final = 8


def row_changes(before: Content, after: Content) -> tuple[RowChange, ...]:
    """Each row that differs, in the order of tokens, nodes, components, pages, by key."""
    old, new = before.rows(), after.rows()
    found: list[RowChange] = []
    for name in sorted(old.keys() | new.keys(), key=lambda name: (_ORDER[name.kind], name.key)):
        was, now = old.get(name), new.get(name)
        # One of the package comes and goes with the pages that place it.
        if was == now or (None in (was, now) and is_packaged(was or now)):
            continue
        changed = tuple(_fields(was, now))
        if changed or was is None or now is None:
            found.append(
                RowChange(
                    entity=name.kind, key=name.key, change=change_of(was, now), fields=changed
                )
            )
    return tuple(found)


def template_changes(
    before: Mapping[str, str | None], after: Mapping[str, str | None]
) -> tuple[RowChange, ...]:
    """Each template that differs; the texts are by path, None for what is no text."""
    return tuple(
        RowChange(
            entity="template",
            key=path,
            change=change_of(old, new),
            fields=(FieldChange(field="", before=old, after=new, kind="code"),),
        )
        for path in sorted(before.keys() | after.keys())
        if (old := before.get(path)) != (new := after.get(path))
    )


def change_of(before: object, after: object) -> Change:
    """What became of something that is None where it is not there."""
    return "added" if before is None else "removed" if after is None else "changed"


_ORDER: Final[Mapping[Entity, int]] = {"token": 0, "node": 1, "media": 2, "component": 3, "page": 4}


class _Blocks(NamedTuple):
    """One block on both sides; of a field of the row itself there is none."""

    before: Block | None = None
    after: Block | None = None

    def change(
        self, field: str, before: str | None, after: str | None, kind: Kind = "value"
    ) -> FieldChange:
        block = self.after or self.before
        return FieldChange(
            field=field,
            before=before,
            after=after,
            kind=kind,
            block=block.order if block else None,
            component=block.component if block else "",
            places=(
                self.before.order if self.before else None,
                self.after.order if self.after else None,
            ),
        )


_OF_ROW: Final = _Blocks()


def _fields(before: Any, after: Any) -> Iterator[FieldChange]:
    row = after if before is None else before
    for column in fields(row):
        name = column.name
        if name in _NOT_COMPARED or not column.compare:
            continue
        yield from _values(
            name,
            None if before is None else getattr(before, name),
            None if after is None else getattr(after, name),
        )
    if isinstance(row, Page):
        yield from _blocks(before.blocks if before else (), after.blocks if after else ())


def _values(
    name: str, before: object, after: object, blocks: _Blocks = _OF_ROW, depth: int = 0
) -> Iterator[FieldChange]:
    """The leaves that differ of two values; an empty value is none."""
    if before == after or (_is_empty(before) and _is_empty(after)):
        return
    if _is_object(before, after) and name not in _CODE and depth < _DEEPEST:
        old, new = _object(before), _object(after)
        for key in sorted(old.keys() | new.keys()):
            inner = f"{name}.{key}" if name else key
            yield from _values(inner, old.get(key), new.get(key), blocks, depth + 1)
        return
    yield blocks.change(name, _text(before), _text(after), _kind(name, before, after))


def _kind(name: str, before: object, after: object) -> Kind:
    if name in _CODE:
        return "code"
    given = [value for value in (before, after) if isinstance(value, str)]
    if given and all(_COLOR.fullmatch(value.strip()) for value in given):
        return "color"
    return "text" if any(" " in value.strip() for value in given) else "value"


def _text(value: object) -> str | None:
    if _is_empty(value):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    plain: Any = value
    text = exact_json.dumps(plain)
    return text if len(text) < 80 else json.dumps(json.loads(text), indent=2, ensure_ascii=False)


def _is_empty(value: object) -> bool:
    return value is None or value in ("", (), {})


def _is_object(*values: object) -> bool:
    return any(isinstance(value, Mapping) for value in values) and all(
        value is None or isinstance(value, Mapping) for value in values
    )


def _object(value: Any) -> Mapping[str, Json]:
    return {} if value is None else value


def _blocks(before: Sequence[Block], after: Sequence[Block]) -> Iterator[FieldChange]:
    """Blocks that were added, removed, moved or altered, in the order of the page after."""
    pairs = _paired(before, after)
    kept = {old.order for old, _ in pairs}
    new = {block.order for _, block in pairs}
    for block in before:
        if block.order not in kept:
            yield _Blocks(before=block).change("", block.component, None)
    altered = {block.order: old for old, block in pairs}
    moved = _moved([(old.order, block.order) for old, block in pairs])
    for block in after:
        if block.order not in new:
            added = _Blocks(after=block)
            yield added.change("", None, block.component)
            yield from _values("", None, block.props, added)
            yield from _values("conditions", None, block.conditions, added)
            continue
        old = altered[block.order]
        both = _Blocks(old, block)
        if block.order in moved:
            yield both.change("", str(old.order), str(block.order), "move")
        yield from _values("zone", old.zone, block.zone, both)
        yield from _values("", old.props, block.props, both)
        yield from _values("conditions", old.conditions, block.conditions, both)


def _paired(before: Sequence[Block], after: Sequence[Block]) -> list[tuple[Block, Block]]:
    """Which block after is which one before: equal ones first, then those of one component."""
    pairs: list[tuple[Block, Block]] = []
    left, right = list(before), list(after)
    for alike in (_place_and_content, _content, _place, _component):
        free: dict[Json, list[Block]] = {}
        for block in left:
            free.setdefault(alike(block), []).append(block)
        for block in list(right):
            if held := free.get(alike(block)):
                pairs.append((held.pop(0), block))
                left.remove(pairs[-1][0])
                right.remove(block)
    return sorted(pairs, key=lambda pair: pair[1].order)


def _content(block: Block) -> str:
    return exact_json.dumps([block.component, block.zone, block.props, block.conditions])


def _place_and_content(block: Block) -> str:
    return f"{block.order} {_content(block)}"


def _place(block: Block) -> str:
    return f"{block.order} {block.component}"


def _component(block: Block) -> str:
    return block.component


def _moved(orders: Sequence[tuple[int, int]]) -> set[int]:
    """Of pairs of orders, sorted by the second, the second of each that others did not just push.

    The longest rising run of the first stays; every other block was moved.
    """
    runs: list[list[int]] = []
    for index, (old, _) in enumerate(orders):
        earlier = [run for run in runs if orders[run[-1]][0] < old]
        runs.append([*_longest(earlier), index])
    stayed = set(_longest(runs))
    return {new for index, (_, new) in enumerate(orders) if index not in stayed}


def _longest(runs: Sequence[list[int]]) -> list[int]:
    return max(runs, key=lambda run: len(run)) if runs else []
