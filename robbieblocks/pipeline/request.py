"""What a build is asked for, and which apps of which nodes that concerns: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from robbieblocks.errors import UsageError
from robbieblocks.messages import did_you_mean, printable, visible_line
from robbieblocks.model import SHARED_APP, NodeRow


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """Who publishes during a freeze, and why."""

    who: str
    why: str

    def __str__(self) -> str:
        return visible_line(f"{self.who}: {self.why}")

    def as_json(self) -> dict[str, str]:
        """The stable form."""
        return {"who": self.who, "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to build. Empty `pages`, `apps` or `nodes` mean all of them.

    - `dry_run`: plan and render, publish nothing. `out` is a folder for a browsable copy of that.
      With `drafts` pages and components that are not published yet are there, `at` is the instant
      that is shown.
    - `approved`: hashes of plans that a person approved although they remove many pages.
    - `strict`: a run with a page held back publishes nothing.
    - `during_freeze`: a person publishes although it is frozen.
    - `unasked`: a worker's own check. All content is read, and a run without changes leaves no row.
    - `repair`: compare the live files with their stat index, and replace damaged ones.
    - `thorough`: with `repair`, read every live file, since an edit may restore size and time.
    - `allow_missing_apps`: an app without pages is no mistake; `allow_missing_nodes`: nor is a
      node that was removed.
    - `built_before`: for a queue row that several apps must handle, the apps of earlier builds.
    """

    pages: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    dry_run: bool = False
    out: Path | None = None
    drafts: bool = False
    at: datetime | None = None
    approved: tuple[str, ...] = ()
    strict: bool = False
    during_freeze: BreakGlass | None = None
    unasked: bool = False
    repair: bool = True
    thorough: bool = False
    allow_missing_apps: bool = False
    allow_missing_nodes: bool = False
    built_before: Mapping[UUID, frozenset[str]] = field(default_factory=dict[UUID, frozenset[str]])
    triggered_by: str = "cli"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One app on one node."""

    node: str
    app: str

    def __str__(self) -> str:
        return f"{self.app} on {self.node}"


def choose_targets(
    request: Request,
    nodes: Sequence[NodeRow],
    page_apps: Mapping[str, str],
    live_apps: Mapping[str, Collection[str]],
    shared_frames: Collection[str] = (),
) -> tuple[Target, ...]:
    """The targets of a request, sorted.

    `page_apps` maps each published page's key to its app, `live_apps` each node to the apps that
    show pages there. `shared_frames` are those of the requested pages that are around pages of
    every app. An app without pages, or one that the node no longer enables, is a target only
    where its pages must be removed. Raises UsageError that names what is unknown, with the nearest
    known names.
    """
    if not nodes:
        raise UsageError(
            "robbieblocks_node_branding has no rows, so there is no node to build for: "
            "import one (`robbieblocks content import`) or insert one"
        )
    by_id = {node.id: node for node in nodes}
    if not request.allow_missing_nodes:
        _check_known("node", request.nodes, by_id)
    what = "published page" + (" or draft" if request.drafts else "")
    _check_known(what, request.pages, page_apps)
    known_apps = {app for node in nodes for app in node.apps} | set(page_apps.values())
    known_apps.update(*live_apps.values())
    _check_known("app", request.apps, known_apps)

    apps = _requested_apps(request, page_apps, shared_frames) or known_apps
    chosen = [by_id[key] for key in request.nodes if key in by_id]
    if not request.nodes:
        chosen = list(nodes)
    with_pages = {SHARED_APP, *page_apps.values()}
    targets = {
        Target(node.id, app)
        for node in chosen
        for app in apps
        if app in live_apps.get(node.id, ()) or (app in with_pages and app in node.apps)
    }
    if not (targets or request.allow_missing_apps or request.allow_missing_nodes):
        raise UsageError(_no_target(apps, with_pages, chosen))
    return tuple(sorted(targets))


def read_instant(text: str) -> datetime:
    """An instant that a person wrote, such as `2026-12-24T18:00+01:00`, as UTC.

    Raises UsageError where it can't be read, or names no zone.
    """
    example = "write date, time and zone, such as 2026-12-24T18:00+01:00 or 2026-12-24T17:00Z"
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is not None:
            return read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{printable(text)} is no instant: {example}") from None
    raise UsageError(f"{printable(text)} names no zone of time: {example}")


def _requested_apps(
    request: Request, page_apps: Mapping[str, str], shared_frames: Collection[str]
) -> set[str]:
    """The apps that a request names, itself or by its pages; empty for all."""
    apps = set(request.apps)
    pages = [key for key in request.pages if key not in shared_frames]
    if apps and (outside := [key for key in pages if page_apps[key] not in apps]):
        raise UsageError(
            f"--page and --app contradict each other: {', '.join(outside)} is not in it"
        )
    # Around which pages a frame of shared is, the build finds out.
    return {page_apps[key] for key in pages} if len(pages) == len(request.pages) > 0 else apps


def _no_target(apps: set[str], with_pages: set[str], nodes: Iterable[NodeRow]) -> str:
    if not apps & with_pages:
        return f"no page of {', '.join(sorted(apps))} is published, and nothing of it is live"
    names = ", ".join(sorted(node.id for node in nodes))
    return (
        f"no node among {names} enables {', '.join(sorted(apps & with_pages))}: "
        "add the app to robbieblocks_node_branding.enabled_apps or name another node"
    )


def _check_known(kind: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(f"there is no {kind} {name!r}: {did_you_mean(name, known)}")
