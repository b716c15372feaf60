"""One run's plan: an app's pages on a node, compared with the live manifest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Final

from robbieblocks.assemble import (
    Assembly,
    PreparedPage,
    is_due,
    page_on_node,
    refused_embeds,
    whole_key,
)
from robbieblocks.errors import Problem
from robbieblocks.model import (
    AssembledPage,
    PageEntry,
    Sha256,
    made_key,
    template_of,
    with_changed,
)
from robbieblocks.pipeline.brand_fingerprint import BrandFingerprint
from robbieblocks.pipeline.planning.causes import CauseFinder, causes_of_problems
from robbieblocks.pipeline.planning.comparison import Comparison, Problems
from robbieblocks.pipeline.planning.live_files import damaged_pages
from robbieblocks.pipeline.planning.plan import Cause, PageInputs, PlannedPage, RunPlan
from robbieblocks.pipeline.settled import NO_ENTRIES, Compared, among
from robbieblocks.prerender import tokens_in_pages
from robbieblocks.release import Hold

_KEY: Final = attrgetter("key")
# Stands in each app for the pages of templates that are no pages.
_LOST_TEMPLATES: Final = made_key("", "")


def plan_run(given: Comparison) -> RunPlan:
    """Compare an app's pages on a node with what is live there.

    A node that no longer enables the app keeps none of its pages.
    """
    entries = given.live.page_entries if given.live else NO_ENTRIES
    held = _held(given)
    # Where nothing is live, the whole app is built, whatever was asked for.
    considered = given.only if given.only and len(entries.pages) > len(held) else None
    brand = BrandFingerprint.of(given.brand, given.app.styles)
    state = Compared(
        pages=given.app.assembly.pages,
        live=given.live,
        brand=brand.whole,
        fingerprints=given.app.fingerprints,
        now=given.now,
    )
    may_settle = considered is None and not held and given.is_plain
    look = given.settled.to_look_at(state) if may_settle else None
    prepared, rest = state.pages, dict(entries.by_key)
    if look is not None:
        prepared = among(prepared, look)
        rest = {key: rest[key] for key in look if key in rest}
    looked_at = [*rest.values()]
    kept = [rest.pop(key) for key in held]
    pages, unchanged = _compared(given, prepared, brand, rest, considered, held)
    lost = _of_stand_in(given.app.assembly, _LOST_TEMPLATES)
    templates = _templates(given) if lost else frozenset[str]()
    for key, entry in rest.items():
        if considered is not None and key not in considered:
            unchanged.append(entry)
        elif errors := _errors_of_whole(given, key) or (
            lost if _is_lost(given, key, templates) else ()
        ):
            pages.append(_held_back(key, errors, entry))
        else:
            pages.append(_removed(given, entry))
    if may_settle:
        given.settled.note(state, look, [page.key for page in pages])
    else:
        given.settled.forget()
    unchanged += kept
    if look is not None:
        unchanged = with_changed(entries.pages, looked_at, unchanged, _KEY)
    # Where no page of this app waits for it, it fails no run of this app.
    waiting = any(lost == page.problems for page in pages)
    return RunPlan(
        notes=() if waiting else tuple(replace(each, severity="warning") for each in lost),
        target=given.target,
        node=given.node,
        brand=given.brand,
        app=given.app,
        live=given.live,
        pages=tuple(sorted(pages, key=_KEY)),
        unchanged=tuple(unchanged),
        damaged=given.damaged,
        held=held,
        index=given.index,
        # Of a page that can't be read, nobody knows whether its own rows changed.
        no_longer_held=given.holds.keys() - held.keys() - given.app.assembly.held_back.keys(),
    )


def _compared(
    given: Comparison,
    prepared_pages: Iterable[PreparedPage],
    brand: BrandFingerprint,
    rest: dict[str, PageEntry],
    considered: Collection[str] | None,
    held: Collection[str],
) -> tuple[list[PlannedPage], list[PageEntry]]:
    """What happens to each of these pages, and to those that the rows have and that can't be made,
    and the live entries where nothing does.

    The live entries of these pages are taken out of `rest`.
    """
    pages: list[PlannedPage] = []
    unchanged: list[PageEntry] = []
    app, node, now, fingerprints = given.app, given.node, given.now, given.app.fingerprints
    if given.target.app not in node.apps:
        return pages, unchanged
    damaged = damaged_pages(given.live, given.damaged)
    anew = damaged | {*filter(given.card_is_due, given.live.without_card if given.live else ())}
    shown = (tokens_in_pages,) if app.styles == "fixed" else ()
    causes = CauseFinder(node.id, now, given.brand, given.live_tokens, *shown)
    conflicts, failures = given.conflicts, given.failures
    for key, problems in _wrong(given, considered, held).items():
        pages.append(_held_back(key, problems, rest.pop(key, None)))
    # Nearly all of ten thousand pages are unchanged: each call for all of them takes 1 ms.
    for prepared in prepared_pages:
        page = page_on_node(prepared, node, now=now) if prepared.conditions else prepared.page
        key = page.key
        if considered is not None and key not in considered:
            continue
        if key in conflicts or key in held:
            continue
        if prepared.row.published_at is not None and not is_due(prepared, now):
            continue
        entry = rest.pop(key, None)
        may_err = app.broken or prepared.embeds
        if may_err and (problems := _errors_on_node(given, prepared, page)):
            pages.append(_held_back(key, problems, entry))
            continue
        inputs = fingerprints.inputs(page, brand)
        if inputs in failures:
            pages.append(_held_back(key, failures[inputs], entry, failed=inputs))
        elif entry is not None and entry.inputs == inputs and key not in anew:
            unchanged.append(entry)
        else:
            made_from = _made_from(given, prepared, page, inputs, brand)
            pages.append(
                PlannedPage(
                    key=key,
                    route=page.route,
                    change="added" if entry is None else "changed",
                    causes=causes.of_change(prepared, entry, made_from, is_damaged=key in damaged),
                    live=entry,
                    made_from=made_from,
                )
            )
    return pages, unchanged


def _made_from(
    given: Comparison,
    prepared: PreparedPage,
    page: AssembledPage,
    inputs: Sha256,
    brand: BrandFingerprint,
) -> PageInputs:
    fingerprints = given.app.fingerprints
    return PageInputs(
        page=page,
        document=fingerprints.document(page),
        inputs=inputs,
        row_digests=fingerprints.row_digests(prepared, page),
        input_digests=fingerprints.input_digests(page, brand),
        warnings=prepared.warnings,
    )


def _wrong(
    given: Comparison, considered: Collection[str] | None, held: Collection[str]
) -> Problems:
    """The errors of pages that can't be made, and of those that want another's place."""
    assembly = given.app.assembly
    found = {**assembly.held_back, **given.conflicts}
    if _LOST_TEMPLATES in assembly.stand_ins:
        del found[_LOST_TEMPLATES]
    return {
        key: problems
        for key, problems in found.items()
        if key not in held
        and (considered is None or key in considered)
        and any(each.severity == "error" for each in problems)
    }


def _errors_on_node(
    given: Comparison, prepared: PreparedPage, page: AssembledPage
) -> tuple[Problem, ...]:
    """The errors of what a page places, and of frames that the node refuses."""
    app, embeds = given.app, prepared.embeds
    broken = app.problems_of(app.fingerprints.components(page)) if app.broken else ()
    refused = refused_embeds(embeds, page, given.brand.settings) if embeds else ()
    return (*broken, *refused)


def _held(given: Comparison) -> Mapping[str, Hold]:
    """The holds that stand: the page is live and whole, and its rows are those that were held."""
    if not given.holds or given.live is None or given.target.app not in given.node.apps:
        return {}
    damaged, live = damaged_pages(given.live, given.damaged), given.live.by_key
    fingerprints, prepared = given.app.fingerprints, given.app.assembly.pages
    rows = {
        each.page.key: fingerprints.row_digests(each, page_on_node(each, given.node, now=given.now))
        for each in prepared
        if each.page.key in given.holds
    }
    return {
        key: hold
        for key, hold in given.holds.items()
        if key in rows and key in live and key not in damaged and hold.covers(rows[key])
    }


def _held_back(
    key: str,
    problems: tuple[Problem, ...],
    live: PageEntry | None,
    *,
    failed: Sha256 | None = None,
) -> PlannedPage:
    return PlannedPage(
        key=key,
        route=live.route if live else "",
        change="held back",
        causes=causes_of_problems(problems),
        problems=problems,
        live=live,
        failed=failed,
    )


def _errors_of_whole(given: Comparison, key: str) -> tuple[Problem, ...]:
    """The errors of the page that this live one is a further part of, or of its collection.

    Where they hold that page back nobody knows its parts: those stay to which it leads. So it is
    with the pages of a collection that can't be read, or has rows without a usable key.
    """
    if given.target.app not in given.node.apps:
        return ()
    assembly = given.app.assembly
    whole, template = whole_key(key), template_of(key)
    if whole and (errors := assembly.held_back.get(whole)):
        return errors
    return _of_stand_in(assembly, made_key(template, "")) if template else ()


def _of_stand_in(assembly: Assembly, key: str) -> tuple[Problem, ...]:
    """The errors of all pages that it stands for; the row of a page with its key is no such one."""
    return assembly.held_back.get(key, ()) if key in assembly.stand_ins else ()


def _templates(given: Comparison) -> frozenset[str]:
    """The templates of which the app's rows make pages, or would."""
    assembly = given.app.assembly
    keys = (*(page.page.key for page in assembly.pages), *assembly.held_back)
    return frozenset(filter(None, map(template_of, keys)))


def _is_lost(given: Comparison, key: str, templates: Collection[str]) -> bool:
    """Whether a live page's template may be one that is no page, by a slip or because it went."""
    template = template_of(key)
    return template != "" and template not in templates and given.target.app in given.node.apps


def _removed(given: Comparison, entry: PageEntry) -> PlannedPage:
    enabled = given.target.app in given.node.apps
    cause = (
        Cause("page", entry.key)
        if enabled
        else Cause("node_branding", given.node.id, "enabled_apps")
    )
    return PlannedPage(
        key=entry.key, route=entry.route, change="removed", causes=(cause,), live=entry
    )
