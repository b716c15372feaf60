"""What a change does to each page, by the bytes of both sites."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

import brotli

from robbieblocks.errors import Problem
from robbieblocks.messages import counted
from robbieblocks.model import Asset, PageEntry
from robbieblocks.pipeline import (
    Cause,
    ComposedRun,
    PlannedPage,
    Proposal,
    RunPlan,
    Target,
    causes_of_problems,
    links_sheet,
)
from robbieblocks.release import RemovalLimit, SiteRoot
from robbieblocks.review.values import Effect, PageEffect, RunEffect, Sizes
from robbieblocks.settings import Settings

# A server may compress better; the difference between two pages hardly depends on it.
_QUALITY = 6


def page_effects(before: Proposal, after: Proposal) -> tuple[PageEffect, ...]:
    """Every page on which something is to be said, by node, app and key."""
    weigh = _weights()
    known = {run.target: run for run in before.plan.runs}
    found: list[PageEffect] = []
    for run in after.plan.runs:
        sides = _Sides(run.target, before, after, weigh)
        held = (
            {page.key: page for page in known[run.target].held_back} if run.target in known else {}
        )
        for page in run.pages:
            effect = _effect(page, run, sides)
            if effect.effect == "held back" and _was_held(effect, held, sides):
                continue
            found.append(effect)
        if run.sheet_causes and sides.after is not None:
            # To who looks at them, pages differ whose styles do.
            found += [
                sides.described("changed", key=entry.key, causes=run.sheet_causes)
                for entry in run.unchanged
                if links_sheet(entry)
            ]
    found += _of_gone_nodes(before, after, weigh)
    return tuple(sorted(found, key=attrgetter("node", "app", "key")))


def run_effects(after: Proposal, settings: Settings) -> tuple[RunEffect, ...]:
    """Each run that does something, with the brake that the site root sets."""
    limit = RemovalLimit.of(SiteRoot.of(settings))
    found: list[RunEffect] = []
    for run in after.plan.runs:
        if not run.changes:
            continue
        live = len(run.live.pages) if run.live else 0
        removed = sum(page.change == "removed" for page in run.pages)
        brake = (
            f"it would remove {removed} of {counted(live, 'page')}"
            if limit.is_exceeded(removed=removed, live=live)
            else ""
        )
        found.append(
            RunEffect(
                node=run.target.node,
                app=run.target.app,
                hash=run.hash,
                pages_before=live,
                brake=brake,
            )
        )
    return tuple(found)


class _Sides:
    """One target on both sides."""

    def __init__(
        self, target: Target, before: Proposal, after: Proposal, weigh: Callable[[Asset], int]
    ) -> None:
        self.target = target
        self.before = before.composed.get(target)
        self.after = after.composed.get(target)
        self._weigh = weigh

    def described(
        self,
        effect: Effect,
        *,
        key: str,
        causes: Iterable[Cause],
        problems: Iterable[Problem] = (),
    ) -> PageEffect:
        # A page that is held back stays as it is.
        after = self.before if effect == "held back" else self.after
        old, new = _entry(self.before, key), _entry(after, key)
        entry = new or old
        return PageEffect(
            node=self.target.node,
            app=self.target.app,
            key=key,
            route=entry.route if entry else "",
            effect=effect,
            causes=tuple(causes),
            problems=tuple(problems),
            path_before=old.path if old else "",
            path_after=new.path if new else "",
            html=Sizes(self._html(self.before, old), self._html(after, new)),
            scripts=Sizes(self._of_kind(self.before, old, ".js"), self._of_kind(after, new, ".js")),
            styles=Sizes(self._styles(self.before, old), self._styles(after, new)),
        )

    def same_bytes(self, key: str) -> bool:
        """Whether the page is on both sides, at one path, byte for byte."""
        old, new = _entry(self.before, key), _entry(self.after, key)
        if old is None or new is None or self.before is None or self.after is None:
            return False
        return (
            old.path == new.path and self.before.contents[old.path] == self.after.contents[new.path]
        )

    def _html(self, run: ComposedRun | None, entry: PageEntry | None) -> int | None:
        """The page's bytes without the styles that stand in it."""
        if run is None or entry is None or entry.path not in run.contents:
            return None
        return len(run.contents[entry.path]) - sum(map(len, _inlined(run, entry)))

    def _styles(self, run: ComposedRun | None, entry: PageEntry | None) -> int | None:
        """What its styles take, those in the page and those in files."""
        linked = self._of_kind(run, entry, ".css")
        if run is None or entry is None or linked is None:
            return None
        sheets = (Asset.of("inline", "css", text) for text in _inlined(run, entry))
        return linked + sum(map(self._weigh, sheets))

    def _of_kind(self, run: ComposedRun | None, entry: PageEntry | None, end: str) -> int | None:
        if run is None or entry is None:
            return None
        return sum(
            self._weigh(run.assets[name])
            for name in entry.assets
            if name.endswith(end) and name in run.assets
        )


def _effect(page: PlannedPage, run: RunPlan, sides: _Sides) -> PageEffect:
    causes, problems = page.causes, page.problems
    failed = () if sides.after is None else sides.after.failed.get(page.key, ())
    if run.branding_is_broken:
        problems = tuple(each for each in run.brand.problems if each.severity == "error")
        causes = causes_of_problems(problems)
    elif failed:
        problems, causes = failed, causes_of_problems(failed)
    if page.change == "held back" or problems or sides.after is None:
        return sides.described("held back", key=page.key, causes=causes, problems=problems)
    if page.change == "removed":
        return sides.described("removed", key=page.key, causes=causes)
    if sides.same_bytes(page.key) and not run.sheet_causes:
        return sides.described("identical", key=page.key, causes=causes)
    return sides.described(
        "added" if page.change == "added" else "changed", key=page.key, causes=causes
    )


def _was_held(effect: PageEffect, held: dict[str, PlannedPage], sides: _Sides) -> bool:
    """Whether the base holds the page back for the same reason: nothing is new about it."""
    if effect.key in held:
        return held[effect.key].causes == effect.causes
    failed = () if sides.before is None else sides.before.failed.get(effect.key, ())
    return bool(failed) and causes_of_problems(failed) == effect.causes


def _of_gone_nodes(
    before: Proposal, after: Proposal, weigh: Callable[[Asset], int]
) -> Iterator[PageEffect]:
    """The pages of nodes that are no more."""
    nodes = {node.id for node in after.inspection.content.nodes}
    for target, composed in before.composed.items():
        if target.node not in nodes:
            sides = _Sides(target, before, after, weigh)
            for entry in composed.manifest.pages:
                yield sides.described(
                    "removed", key=entry.key, causes=(Cause("node_branding", target.node),)
                )


def _entry(run: ComposedRun | None, key: str) -> PageEntry | None:
    return run.manifest.by_key.get(key) if run else None


def _inlined(run: ComposedRun, entry: PageEntry) -> list[bytes]:
    """The texts of the style elements in a page's head."""
    head, _, _ = run.contents.get(entry.path, b"").partition(b"</head>")
    parts = (part.partition(b"</style>") for part in head.split(b"<style>")[1:])
    return [text for text, end, _ in parts if end]


def _weights() -> Callable[[Asset], int]:
    """Weighs each asset once: many pages share it."""
    known: dict[str, int] = {}

    def weigh(asset: Asset) -> int:
        if asset.name not in known:
            known[asset.name] = len(brotli.compress(asset.content, quality=_QUALITY))
        return known[asset.name]

    return weigh
