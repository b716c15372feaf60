"""Checks what a page's own row says, besides its blocks."""

from __future__ import annotations

from collections.abc import Collection

from robbieblocks.assemble.components import hydrate_of
from robbieblocks.assemble.page_problems import PageProblems
from robbieblocks.assemble.page_settings import doubts, settings_problems
from robbieblocks.assemble.placeholders import placeholder_doubts, with_fallbacks
from robbieblocks.assemble.routes import route_problem
from robbieblocks.assemble.values import ValueProblem, checked_json, no_object
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import Hydrate, Json, PageRow
from robbieblocks.names import KEY_LENGTH, NAME_REMEDY, app_problem, name_problem, text_problem

MAX_TITLE = 1_000
MAX_DESCRIPTION = 10_000


def check_names(row: PageRow, layouts: Collection[str], problems: PageProblems) -> None:
    """Check a page's key, app, layout and route."""
    # That of a made page was put together of two that are right.
    wrong = row.made is None and name_problem(row.key, longest=KEY_LENGTH)
    if wrong:
        problems.add("page_key", f"the page's key {wrong}", NAME_REMEDY)
    wrong = app_problem(row.app)
    if wrong:
        problems.add("app_namespace", f"the app's name {wrong}", NAME_REMEDY)
    if row.layout not in layouts:
        what = f"unknown layout `{printable(row.layout)}`"
        problems.add("layout_template", what, f"known: {', '.join(sorted(layouts))}")
    problem = None if row.not_found else route_problem(row.route)
    if problem is not None:
        problems.add("page_route", *problem)


def check_texts(row: PageRow, problems: PageProblems) -> None:
    """Check a page's name, title and description."""
    for name, text, most in (
        ("page_name", row.name, MAX_TITLE),
        ("meta_title", row.meta_title or "", MAX_TITLE),
        ("meta_description", row.meta_description or "", MAX_DESCRIPTION),
    ):
        wrong = text_problem(text)
        if wrong:
            problems.add(name, f"the text {wrong}", "remove it")
        if len(text) > most:
            problems.add(name, f"has {len(text):,} characters", f"use at most {most:,}")
        for doubt in placeholder_doubts(text):
            problems.add(name, doubt.what, doubt.remedy, severity="warning")
    if not on_one_line(row.name) and not on_one_line(with_fallbacks(row.meta_title or "")):
        problems.add("page_name", "the page has no title", "set page_name or meta_title")


def hydration(row: PageRow, problems: PageProblems) -> dict[int, Hydrate]:
    """Check a page's metadata. When its blocks hydrate, by their order, where it says so."""
    metadata: Json = row.metadata
    found: dict[int, Hydrate] = {}
    if metadata == {}:
        return found
    checked = checked_json(metadata)
    if isinstance(checked, tuple):
        for problem in checked:
            problems.add_value("metadata", problem)
        return found
    if not isinstance(metadata, dict):
        wrong = no_object("metadata is", metadata, "write an object, or {}")
        problems.add_value("metadata", wrong)
        return found
    for problem in settings_problems(metadata):
        problems.add_value("metadata", problem)
    for problem in doubts(metadata):
        problems.add("metadata", problem.what, problem.remedy, problem.pointer, "warning")
    blocks = metadata.get("blocks", {})
    if not isinstance(blocks, dict):
        remedy = 'such as {"2": {"hydrate": "visible"}}'
        problems.add("metadata", "expected an object", remedy, "/blocks")
        return found
    orders = {str(block.order) for block in row.blocks}
    for order, settings in blocks.items():
        chosen = _block_hydration(order, settings, problems, known=order in orders)
        if chosen is not None:
            found[int(order)] = chosen
    return found


def _block_hydration(
    order: str, settings: Json, problems: PageProblems, *, known: bool
) -> Hydrate | None:
    at = json_pointer("blocks", order)
    if not known:
        what = f"the page has no block {printable(order)}"
        problems.add("metadata", what, "drop the entry", at, "warning")
    elif not isinstance(settings, dict) or not settings.keys() <= {"hydrate"}:
        problems.add("metadata", "expected an object with hydrate", '{"hydrate": "visible"}', at)
    elif "hydrate" in settings:
        chosen = hydrate_of(settings["hydrate"], at + "/hydrate")
        if isinstance(chosen, ValueProblem):
            problems.add_value("metadata", chosen)
        else:
            return chosen
    return None


def on_one_line(text: str) -> str:
    """The text on one line, as attributes and browser tabs show it."""
    return " ".join(text.split())
