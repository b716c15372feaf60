"""What a build knows from the one before is what it would find out anew."""

from __future__ import annotations

import random
import sys
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from robbieblocks.assemble import PreparedPage, check_routes
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import (
    AssembledBlock,
    AssembledPage,
    Asset,
    Bundle,
    Manifest,
    Module,
    PageEntry,
    RenderedBlock,
    RenderJob,
    sha256,
)
from robbieblocks.pipeline.fingerprints import Fingerprints
from robbieblocks.pipeline.rendering import BlockStream, RenderedBlocks
from robbieblocks.pipeline.route_conflicts import RouteConflicts
from robbieblocks.pipeline.settled import Compared, SettledPages
from tests.unit.rows import NOW, a_node, a_page, a_snapshot, assembled, nothing_live

KEYS = [f"part-{number}" for number in range(8)]


Said = dict[str, tuple[str, str, tuple[str, ...]]]


def _bundle(said: Said, tokens: str) -> Bundle:
    """Modules of components by key: code, classes, imports. Utilities follow classes and tokens."""
    modules = {}
    for key, (code, classes, imports) in said.items():
        specifier = f"@robbieblocks/{key}"
        modules[specifier] = Module(
            specifier=specifier,
            asset=Asset.of(key, "js", code.encode()),
            script=code,
            imports=tuple(f"@robbieblocks/{name}" for name in imports if name in said),
            candidates=frozenset(classes.split()),
        )

    def of_classes(keys: Collection[str], _: frozenset[str] = frozenset()) -> Asset:
        reached = {*keys, *(name for key in keys for name in said[key][2])}
        used = {word for key in reached for word in said[key][1].split()}
        return Asset.of("u", "css", f"{tokens} {sorted(used)}".encode())

    runtime = Module(specifier="runtime", asset=Asset("runtime.js", b""), script="")
    base = Asset("base.css", b"")
    return Bundle(
        modules=modules,
        runtime=runtime,
        base_stylesheet=base,
        isolate="",
        utilities_for=of_classes,
        utilities_key=tokens,
    )


def _page(number: int, chance: random.Random) -> AssembledPage:
    blocks = tuple(
        AssembledBlock(order=order, zone="main", component=key, props={}, props_json="{}")
        for order, key in enumerate(chance.sample(KEYS[2:], 3))
    )
    return AssembledPage(
        key=f"page-{number}",
        app="play",
        route=f"/{number}/",
        path=f"{number}/index.html",
        layout="single-column",
        title=str(chance.random()),
        blocks=blocks,
    )


def _look(
    bundle: Bundle,
    previous: Fingerprints | None = None,
    template: str = "",
) -> Fingerprints:
    return Fingerprints(
        bundle,
        styles="inline",
        templates=template,
        toolchain="t",
        previous=previous,
    )


@pytest.mark.parametrize("seed", range(30))
def test_remembered_fingerprints_are_those_of_a_fresh_look(seed: int) -> None:
    """Over any edits of components (code, classes alone, what they import), tokens,
    templates and pages, a page has the fingerprint that nothing remembered would give it."""
    chance = random.Random(seed)
    # Of the two first, which no page places, the others may import.
    said: Said = dict.fromkeys(KEYS, ("code", "p-1", ()))
    pages = {number: _page(number, chance) for number in range(12)}
    tokens = "red"
    template = "first"
    known: Fingerprints | None = None
    shown_last: dict[str, AssembledPage] = {}
    documents: dict[str, str] = {}
    for step in range(25):
        key = chance.choice(KEYS)
        code, classes, imports = said[key]
        match chance.randrange(7):
            case 0:
                said[key] = (f"code {step}", classes, imports)
            case 1:
                said[key] = (code, f"p-{step}", imports)
            case 2 if key in KEYS[2:]:
                said[key] = (code, classes, tuple(chance.sample(KEYS[:2], chance.randrange(3))))
            case 3:
                number = chance.randrange(14)
                pages[number] = _page(number, chance)
            case 4:
                tokens = f"#{step}"
            case 5:
                template = chance.choice(["first", "second"])
            case _:
                pass
        bundle = _bundle(said, tokens)
        last, known = known, _look(bundle, known, template)
        dropped = known.dropped_since(last) if last else None
        if last and dropped is not None:
            stay = [page for key, page in shown_last.items() if key not in dropped]
            assert [known.document(page) for page in stay] == [documents[p.key] for p in stay]
        fresh = _look(bundle, None, template)
        shown = chance.sample(sorted(pages), len(pages) - 2)
        assert [known.document(pages[n]) for n in shown] == [
            fresh.document(pages[n]) for n in shown
        ]
        shown_last = {pages[n].key: pages[n] for n in shown}
        documents = {key: known.document(page) for key, page in shown_last.items()}


def test_what_was_looked_at_over_others_is_not_known() -> None:
    """Of fingerprints that did not follow one another nobody knows what was dropped between."""
    said: Said = dict.fromkeys(KEYS, ("code", "p-1", ()))
    first = _look(_bundle(said, "red"))
    second = _look(_bundle(said, "red"), first)
    third = _look(_bundle(said | {KEYS[2]: ("new", "p-1", ())}, "red"), second)
    assert second.dropped_since(first) == second.dropped_since(second) == ()
    assert third.dropped_since(second) is not None
    assert third.dropped_since(first) is None
    assert first.dropped_since(second) is None
    assert _look(_bundle(said, "blue"), third).dropped_since(third) is None


def _settled(
    pages: Sequence[PreparedPage], live: Manifest | None, of: Fingerprints, **other: Any
) -> Compared:
    values = {"brand": sha256("brand"), "now": NOW, **other}
    return Compared(pages=pages, live=live, fingerprints=of, **values)


def test_pages_are_looked_at_where_they_may_differ_alone() -> None:
    """That is where their rows, their live version or their components differ, and where time,
    the node's settings or a card that lacks may alter them.
    """
    said: Said = dict.fromkeys(KEYS, ("code", "p-1", ()))
    first = _look(_bundle(said, "red"))
    prepared = assembled(
        *(a_page(f"page-{n:02}", route=f"/{n}/", blocks=()) for n in range(40)),
        a_page("page-40", route="/40/", blocks=(), published_at=NOW + timedelta(hours=1)),
    ).pages
    entries = tuple(
        PageEntry(key=each.key, route="/", path=each.page.path, inputs=sha256(""))
        for each in prepared
    )
    live = Manifest(node="n", app="play", files={}, pages=entries)
    settled = SettledPages()
    assert settled.to_look_at(_settled(prepared, live, first)) is None
    settled.note(_settled(prepared, live, first), None, ["page-07"])
    assert settled.to_look_at(_settled(prepared, live, first)) == frozenset({"page-07", "page-40"})

    second = _look(_bundle(said, "red"), first)
    altered = replace(prepared[3], warnings=())
    other = replace(entries[5], no_card="waits")
    now = _settled(
        (*prepared[:3], altered, *prepared[4:-1]),
        replace(live, pages=(*entries[:5], other, *entries[6:])),
        second,
    )
    look = settled.to_look_at(now)
    assert look == frozenset({"page-03", "page-05", "page-07", "page-40"})
    settled.note(now, look, [])
    third = _look(_bundle(said, "red"), second)
    assert settled.to_look_at(replace(now, fingerprints=third)) == frozenset({"page-05"})

    for given in (
        replace(now, fingerprints=_look(_bundle(said, "red"), third)),
        replace(now, fingerprints=third, brand=sha256("other")),
        replace(now, fingerprints=third, now=NOW - timedelta(seconds=1)),
        replace(now, fingerprints=third, pages=prepared[20:]),
    ):
        assert settled.to_look_at(given) is None
    settled.forget()
    assert settled.to_look_at(now) is None


def test_a_fingerprint_is_not_worked_out_again() -> None:
    """Of pages that no change reaches, neither utilities nor components are looked at again."""
    chance = random.Random(1)
    said: Said = dict.fromkeys(KEYS, ("code", "p-1", ()))
    page = _page(1, chance)
    before = _look(_bundle(said, "red"))
    expected = before.document(page)
    other = next(key for key in KEYS if key not in before.components(page))

    def unasked(keys: Collection[str], _: frozenset[str] = frozenset()) -> Asset:
        raise AssertionError(keys)

    changed = replace(_bundle(said | {other: ("new", "p-9", ())}, "red"), utilities_for=unasked)
    after = _look(changed, before)
    assert after.document(page) == expected


@pytest.mark.parametrize("seed", range(30))
def test_remembered_routes_are_those_of_a_fresh_look(seed: int) -> None:
    """Over any edits of routes, apps and dates, and any clock, clashes are those found anew."""
    chance = random.Random(seed)
    routes = RouteConflicts()
    nodes = [a_node("one", enabled_apps=("play",)), a_node("two", enabled_apps=("play", "work"))]
    pages = {n: a_page(f"page-{n}", route=f"/{n}/") for n in range(6)}
    now = NOW
    for _ in range(40):
        number = chance.randrange(8)
        match chance.randrange(5):
            case 0:
                app = chance.choice(["play", "work", "shared"])
                route = f"/{chance.randrange(6)}/"
                pages[number] = a_page(f"page-{number}", route=route, app=app)
            case 1:
                pages[number] = a_page(f"page-{number}", route=f"/{number}/", name="again")
            case 2:
                due = NOW + timedelta(hours=chance.randrange(-3, 4))
                pages[number] = a_page(f"page-{number}", route="/1/", published_at=due)
            case 3:
                now = NOW + timedelta(hours=chance.randrange(-4, 5))
            case _:
                pages.pop(number, None)
        content = a_snapshot(*(pages[n] for n in sorted(pages)), taken_at=now, nodes=tuple(nodes))
        for node in nodes:
            fresh: dict[str, list[str]] = {}
            for problem in check_routes(content, node, nothing_live):
                fresh.setdefault(problem.key, []).append(str(problem))
            found = routes.conflicts(content, node, lambda _app: None)
            assert {key: [*map(str, each)] for key, each in found.items()} == fresh


def _job(number: int) -> RenderJob:
    return RenderJob(component="it", props_json=str(number), prefix="b1-")


def test_blocks_are_waited_for_when_they_are_asked_for() -> None:
    """Each part is taken up only when one of its blocks, or a later one, is wanted."""
    taken = []

    def coming(first: int) -> BlockStream:
        for number in range(first, first + 3):
            taken.append(number)
            yield {_job(number): RenderedBlock(html=str(number))}

    there = {_job(0): RenderedBlock(html="0")}
    blocks = RenderedBlocks(waiting=nullcontext, there=there, stream=chain(coming(1), coming(4)))
    assert blocks[_job(0)].html == "0"
    assert taken == []
    assert blocks[_job(2)].html == "2"
    assert taken == [1, 2]
    assert blocks[_job(5)].html == "5"
    assert blocks[_job(1)].html == "1"
    with pytest.raises(KeyError):
        blocks[_job(7)]


def test_a_failed_rendering_fails_whoever_waits() -> None:
    """What was rendered before the failure is there; the rest fails as often as it is asked for."""

    def coming() -> BlockStream:
        yield {_job(1): RenderedBlock(html="1")}
        raise ProcessFailed("the child can't be started")

    blocks = RenderedBlocks(waiting=nullcontext, stream=coming())
    assert blocks[_job(1)].html == "1"
    for _ in range(2):
        with pytest.raises(ProcessFailed):
            blocks[_job(2)]


def test_pages_that_are_no_more_are_forgotten() -> None:
    """A worker that runs for months keeps nothing of what was deleted."""
    pages = [a_page(f"page-{n}", route=f"/{n}/", blocks=()) for n in range(3)]
    plans = assembled(*pages).pages
    known = _look(_bundle(dict.fromkeys(KEYS, ("code", "p-1", ())), "red"))
    for plan in plans:
        known.document(plan.page)
    gone = plans[0].page
    before = sys.getrefcount(gone)
    known.keep_only(plans)
    assert sys.getrefcount(gone) == before
    known.keep_only(plans[1:])
    assert sys.getrefcount(gone) == before - 1
