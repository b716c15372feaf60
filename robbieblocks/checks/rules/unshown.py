"""Names of apps and nodes that are not there: what names them is silently left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.checks.rows import MOST_OF_A_ROW
from robbieblocks.checks.sources import Place
from robbieblocks.errors import Problem
from robbieblocks.messages import did_you_mean, json_pointer, printable
from robbieblocks.model import Json, PageRow


def unshown_pages(checked: Checked) -> Iterator[Found]:
    """Pages of an app that no node enables."""
    known = _shown(checked)
    for key, app in sorted(checked.inspection.page_apps.items()):
        if known and app not in known:
            place = Place("page", key, "app_namespace")
            what = f"no node shows the app {printable(app)}"
            remedy = f"{did_you_mean(app, known)} Or enable it in a node's enabled_apps"
            yield Found(place.problem(what, remedy))


def unknown_nodes(checked: Checked) -> Iterator[Found]:
    """Conditions that name a node or an app that no row has."""
    inspection = checked.inspection
    known = {
        "nodes": set(inspection.node_apps),
        "apps": _shown(checked) | set(inspection.page_apps.values()),
    }
    for page in inspection.content.pages:
        yield from map(Found, islice(_in_page(page, known), MOST_OF_A_ROW))


def _shown(checked: Checked) -> set[str]:
    return {app for apps in checked.inspection.node_apps.values() for app in apps}


def _in_page(page: PageRow, known: Mapping[str, set[str]]) -> Iterator[Problem]:
    for block in page.blocks:
        for kind, name, pointer in _named(block.conditions):
            if name not in known[kind]:
                row = block.frame or page.key
                place = Place("page", row, "conditions", pointer, page=row, block=block.own_order)
                what = f"there is no {kind.removesuffix('s')} {printable(name)}"
                yield place.problem(what, did_you_mean(name, known[kind]))


def _named(conditions: Json) -> Iterator[tuple[str, str, str]]:
    """Each node and app that conditions name: the operator, the name, and where it stands."""
    waiting: list[tuple[tuple[str | int, ...], Json]] = [((), conditions)]
    while waiting:
        path, value = waiting.pop()
        if not isinstance(value, dict):
            continue
        for operator, operand in value.items():
            parts = (
                [((*path, operator, index), part) for index, part in enumerate(operand)]
                if isinstance(operand, list)
                else [((*path, operator), operand)]
            )
            if operator in ("nodes", "apps"):
                yield from (
                    (operator, part, json_pointer(*where))
                    for where, part in parts
                    if isinstance(part, str)
                )
            elif operator in ("all", "any", "not"):
                waiting += parts
