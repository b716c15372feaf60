"""What a review says, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from robbieblocks.errors import Problem
from robbieblocks.model import Sha256
from robbieblocks.pipeline import Cause, ComposedRun, Target, joint_hash

if TYPE_CHECKING:
    from robbieblocks.review.pictures.values import Pictures

Entity = Literal["page", "component", "token", "node", "media", "template"]
# Of a field: how it is best shown. `move` has the block's order before and after.
Kind = Literal["value", "text", "code", "color", "move"]
Change = Literal["added", "removed", "changed"]
# The most dangerous first.
Effect = Literal["removed", "held back", "changed", "added", "identical"]
EFFECTS: Final[tuple[Effect, ...]] = ("removed", "held back", "changed", "added", "identical")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A field before and after, as texts; None where it is not there.

    `field` is as its file names it: `title`, `code`, `maxBet` of the block `block`. `block` is that
    block's order and `component` its component; both are empty for fields of the row itself.
    `places` are the block's orders on both sides, None where it is not there.
    """

    field: str
    before: str | None
    after: str | None
    kind: Kind = "value"
    block: int | None = None
    component: str = ""
    places: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """A row, or a template, that differs; `key` is a template's path in its folder."""

    entity: Entity
    key: str
    change: Change
    fields: tuple[FieldChange, ...] = ()


class Sizes(NamedTuple):
    """Bytes before and after; None where the page is not there."""

    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEffect:
    """What happens to one page on one node, and why.

    `path_before` and `path_after` are its files in the two sites, empty where it has none. `html`
    is not compressed, and without the styles in it; `scripts` and `styles` are by brotli.
    """

    node: str
    app: str
    key: str
    route: str
    effect: Effect
    causes: tuple[Cause, ...]
    problems: tuple[Problem, ...] = ()
    path_before: str = ""
    path_after: str = ""
    html: Sizes = field(default_factory=Sizes)
    scripts: Sizes = field(default_factory=Sizes)
    styles: Sizes = field(default_factory=Sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEffect:
    """One app on one node. `hash` is what `build --approve` takes where the base is live.

    `brake` says why the run would be held; empty where it would go out.
    """

    node: str
    app: str
    hash: Sha256
    pages_before: int
    brake: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFinding:
    """A finding of `check` that the base does not have."""

    rule: str
    problem: Problem
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What is compared with. `name` is what was asked for, `hash` of all that pages are made from.

    `commit` and `date` (RFC 3339) are those of a git revision.
    """

    kind: Literal["revision", "folder", "live"]
    name: str
    hash: Sha256
    commit: str = ""
    date: str = ""


@dataclass(frozen=True, kw_only=True)
class Review:
    """What differs in the content, and what that does to every page. All parts are sorted.

    `after` is the hash of what was reviewed, as that of the base. `solved` counts findings of the
    base that are gone. `notes` are things to know about the comparison itself. `pictures` are None
    where none were asked for.
    """

    base: Base
    after: Sha256
    rows: tuple[RowChange, ...] = ()
    runs: tuple[RunEffect, ...] = ()
    pages: tuple[PageEffect, ...] = ()
    findings: tuple[NewFinding, ...] = ()
    solved: int = 0
    notes: tuple[str, ...] = ()
    pictures: Pictures | None = None

    @cached_property
    def hash(self) -> Sha256:
        """A hash over what all runs do to the base; `build --approve` takes it, as a run's own."""
        return joint_hash((run.node, run.app, run.hash) for run in self.runs)

    @cached_property
    def changed(self) -> bool:
        """Whether there is something to say.

        Code alone that comes out the same, such as one with another comment, is nothing; nor is a
        template that no page shows.
        """
        return bool(self.pages or self.findings or self.notes) or any(map(_says, self.rows))

    @cached_property
    def counts(self) -> Mapping[Effect, int]:
        """How many pages of nodes have each effect."""
        return {effect: sum(page.effect == effect for page in self.pages) for effect in EFFECTS}

    @cached_property
    def groups(self) -> tuple[tuple[tuple[Cause, ...], tuple[PageEffect, ...]], ...]:
        """The pages that share causes: the most dangerous effect first, then the most pages."""
        found: dict[tuple[Cause, ...], list[PageEffect]] = {}
        for page in self.pages:
            found.setdefault(_shared(page), []).append(page)
        return tuple(
            sorted(
                ((causes, tuple(pages)) for causes, pages in found.items()),
                key=lambda item: (
                    min(EFFECTS.index(page.effect) for page in item[1]),
                    -len(item[1]),
                    item[0],
                ),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A review with the bytes of both sites, by target, for those who show pages."""

    review: Review
    before: Mapping[Target, ComposedRun] = field(repr=False)
    after: Mapping[Target, ComposedRun] = field(repr=False)


def _shared(page: PageEffect) -> tuple[Cause, ...]:
    """The causes by which a page is grouped: a node's own name does not part its pages."""
    if page.effect in ("removed", "added", "held back"):
        return tuple(sorted(page.causes)) or (Cause("page", page.key),)
    return tuple(sorted(page.causes))


def _says(row: RowChange) -> bool:
    only_code = all(each.kind == "code" for each in row.fields)
    if row.entity == "component":
        return row.change != "changed" or not only_code
    return row.entity != "template"
