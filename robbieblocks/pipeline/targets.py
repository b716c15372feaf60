"""Which apps of which nodes a request is about: pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from robbieblocks.errors import UsageError
from robbieblocks.model import SHARED_APP, NodeRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to build. Empty `pages`, `apps` or `nodes` mean all of them.

    `out` is a folder for a browsable copy and goes with `dry_run`. `idle` is a look that nobody
    asked for: it leaves no row where nothing is to be done. `heal` examines what is live and makes
    anew what is damaged. `credit` holds, for queue rows that several apps must answer, the apps
    that earlier builds have answered for. `absent_ok` takes apps without pages as they are, where
    naming one would be a mistake of a person's.
    """

    pages: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    dry_run: bool = False
    out: Path | None = None
    strict: bool = False
    idle: bool = False
    heal: bool = True
    absent_ok: bool = False
    credit: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    triggered_by: str = "cli"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One app on one node."""

    node: str
    app: str


def choose(
    request: Request,
    nodes: Sequence[NodeRow],
    page_apps: Mapping[str, str],
    live_apps: Mapping[str, Collection[str]],
) -> tuple[Target, ...]:
    """The targets of a request, sorted.

    `page_apps` maps each published page's key to its app, `live_apps` each node to the apps that
    show pages there: an app without pages, or one that the node enables no more, is a target only
    where it must be emptied. Raises UsageError that names what is unknown, with the nearest known
    names.
    """
    if not nodes:
        raise UsageError(
            "robbieblocks_node_branding has no rows, so there is no node to build for: "
            "run `robbieblocks db seed` or insert one"
        )
    by_id = {node.id: node for node in nodes}
    _check("node", request.nodes, by_id)
    _check("published page", request.pages, page_apps)
    known_apps = {app for node in nodes for app in node.apps} | set(page_apps.values())
    known_apps.update(*live_apps.values())
    _check("app", request.apps, known_apps)

    apps = set(request.apps) or known_apps
    if request.pages:
        page_owners = {page_apps[key] for key in request.pages}
        if request.apps and not page_owners <= apps:
            strays = ", ".join(key for key in request.pages if page_apps[key] not in apps)
            raise UsageError(f"--page and --app contradict each other: {strays} is not in it")
        apps = page_owners
    chosen = [by_id[key] for key in request.nodes] or list(nodes)
    filled = {SHARED_APP, *page_apps.values()}
    targets = {
        Target(node.id, app)
        for node in chosen
        for app in apps
        if app in live_apps.get(node.id, ()) or (app in filled and app in node.apps)
    }
    if not targets and not request.absent_ok:
        raise UsageError(_nobody(apps & filled, chosen) if apps & filled else _no_pages(apps))
    return tuple(sorted(targets))


def _nobody(apps: Iterable[str], nodes: Iterable[NodeRow]) -> str:
    names = ", ".join(sorted(node.id for node in nodes))
    return (
        f"no node among {names} enables {', '.join(sorted(apps))}: "
        "add the app to robbieblocks_node_branding.enabled_apps or name another node"
    )


def _no_pages(apps: Iterable[str]) -> str:
    return f"no page of {', '.join(sorted(apps))} is published, and nothing of it is live"


def _check(kind: str, asked: Iterable[str], known: Collection[str]) -> None:
    for name in asked:
        if name not in known:
            raise UsageError(f"there is no {kind} {name!r}{_suggestion(name, known)}")


def _suggestion(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return f": did you mean {' or '.join(near)}?"
    some = ", ".join(sorted(known)[:8])
    return f" (known: {some})" if some else " (there are none yet)"
