"""`robbieblocks rollback`, `pin` and `unpin`."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self, TypedDict

from robbieblocks import database, record, release
from robbieblocks.cli import session
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.cli.pinning.telling import tell
from robbieblocks.errors import RobbieBlocksError, UsageError
from robbieblocks.messages import did_you_mean, visible_line
from robbieblocks.release import RolledBack, SiteRoot
from robbieblocks.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The nodes and apps that a person named; `every` stands for all."""

    nodes: Sequence[str]
    apps: Sequence[str]
    every: bool

    def of(self, site_root: SiteRoot) -> list[tuple[str, str]]:
        """The live apps of nodes that are meant, sorted. Raises UsageError where none is."""
        live = {node: release.apps(site_root, node) for node in release.nodes(site_root)}
        if not (self.nodes or self.apps or self.every):
            raise UsageError("say which: --node ID, --app NAMESPACE, both, or --all")
        for node in self.nodes:
            if node not in live:
                raise UsageError(
                    f"no node {node!r} is live under {site_root.path}: {did_you_mean(node, live)}"
                )
        found = [
            (node, app)
            for node, apps in live.items()
            for app in apps
            if (not self.nodes or node in self.nodes) and (not self.apps or app in self.apps)
        ]
        missing = sorted(set(self.apps) - {app for _, app in found})
        if missing or not found:
            known = {app for apps in live.values() for app in apps}
            raise UsageError(
                f"no app {missing[0] if missing else ''!r} is live there: "
                f"{did_you_mean(missing[0] if missing else '', known)}"
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who wants something to stay as it is, why, and until when."""

    who: str
    why: str
    now: datetime
    until: datetime | None

    @classmethod
    def of(cls, *, reason: str, until: str | None) -> Self:
        """From what a person wrote. Raises UsageError."""
        return cls(who=who(), why=_reason(reason), now=datetime.now(UTC), until=_until(until))

    def as_options(self) -> Options:
        """The same as arguments of functions of `release`."""
        return {"who": self.who, "why": self.why, "now": self.now, "until": self.until}


class Options(TypedDict):
    """The arguments that all of them have."""

    who: str
    why: str
    now: datetime
    until: datetime | None


def rollback(chosen: Chosen, *, to: str | None, order: Order, database_url: str | None) -> None:
    """Go back, app by app; then record it. What fails for one app leaves the others as they are."""
    settings = Settings.from_environment(database_url=database_url)
    site_root = SiteRoot.of(settings)

    def go(node: str, app: str) -> Done:
        went = release.roll_back(
            site_root,
            node,
            app,
            to=to or "",
            address=settings.addresses.of(node),
            **order.as_options(),
        )
        for each in went.not_served:
            print_progress(f"{node}/{app}: {each}")
        tell(settings, site_root, node, app, live_before=went.before)
        return Done(node=node, app=app, build_hash=went.pin.build_hash, said=_said(went))

    each_in_turn([(node, app, go) for node, app in chosen.of(site_root)], settings, site_root)


def pin(chosen: Chosen, order: Order) -> None:
    """Pin what is live of each app."""
    settings = Settings.from_environment()
    site_root = SiteRoot.of(settings)
    for node, app in chosen.of(site_root):
        held = release.pin_live(site_root, node, app, **order.as_options())
        tell(settings, site_root, node, app)
        print_result(visible_line(f"{node}/{app}: {held}"))


def unpin(chosen: Chosen, *, database_url: str | None) -> None:
    """Remove pins, then build their nodes. Raises UsageError where nothing is pinned."""
    settings = Settings.from_environment(database_url=database_url)
    site_root = SiteRoot.of(settings)
    places = chosen.of(site_root)
    freed = [(node, app) for node, app in places if release.unpin(site_root, node, app)]
    if not freed:
        raise UsageError(f"nothing is pinned of {', '.join(f'{n}/{a}' for n, a in places)}")
    for node, app in freed:
        tell(settings, site_root, node, app, who=who())
        print_progress(f"{node}/{app}: no longer pinned")
    bring_up_to_date([node for node, _ in freed], settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done to an app: the build hash that is live or held since, and a line about it."""

    node: str
    app: str
    build_hash: str
    said: str


Step = tuple[str, str, Callable[[str, str], Done]]
"""A node, an app, and what is to be done to the app there."""


def each_in_turn(steps: Iterable[Step], settings: Settings, site_root: SiteRoot) -> None:
    """Do one thing after the other, and record what was done. Raises the first error at the end."""
    done: list[Done] = []
    failed: RobbieBlocksError | None = None
    for node, app, go in steps:
        try:
            done.append(go(node, app))
        except RobbieBlocksError as error:
            print_progress(f"{node}/{app}: {error}")
            failed = failed or error
            continue
        print_result(visible_line(f"{node}/{app}: {done[-1].said}"))
    if done:
        _record(settings, site_root, done)
    if failed is not None:
        raise failed


def bring_up_to_date(nodes: Iterable[str], settings: Settings) -> None:
    """Build nodes, print the result, and exit with its code.

    All apps of a node: a change that affects others, too, waited for all of them.
    """
    from robbieblocks.cli import ahead

    with ahead.prerenderer(settings) as prerenderer:
        from robbieblocks.cli.building import build
        from robbieblocks.pipeline import Request

        request = Request(nodes=tuple(dict.fromkeys(nodes)))
        build.run(request, "text", settings, prerenderer, adopt=False)


def _said(went: RolledBack) -> str:
    if went.before == went.pin.build_hash:
        return f"{went.pin}; it was live already"
    return f"{went.before[:12]} -> {went.pin}"


def _record(settings: Settings, site_root: SiteRoot, done: Sequence[Done]) -> None:
    """Write a row of each into the history; without the database the site root alone tells."""
    if not session.is_named(settings) and not (settings.home / "postgres").exists():
        print_progress("the history of runs does not tell of it: no database is named here")
        return
    try:
        with session.opened(settings) as connection:
            release.claim(site_root, database.identity(connection))
            for each in done:
                record.note(
                    connection,
                    node=each.node,
                    app=each.app,
                    triggered_by="rollback",
                    build_hash=each.build_hash,
                    log=f"rolled back: {each.said}",
                )
    except RobbieBlocksError as error:
        print_progress(f"done, but the history of runs does not tell of it: {error}")


def _reason(text: str) -> str:
    if not text.strip():
        raise UsageError("--reason is empty: say why, whoever looks at `status` will ask")
    return text.strip()


def _until(text: str | None) -> datetime | None:
    """Raises UsageError for what is no instant, or over already."""
    if text is None:
        return None
    # Without an instant a rollback needs nothing of the pipeline, which takes long to import.
    from robbieblocks.pipeline import read_instant

    instant = read_instant(text)
    if instant <= datetime.now(UTC):
        raise UsageError(f"--until {visible_line(text)} is over already")
    return instant


def who() -> str:
    """The account that asks, and its machine; behind sudo the account that called it."""
    try:
        account = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        account = str(os.getuid())
    return f"{account}@{socket.gethostname()}"
