"""`robbieblocks rollback`, `pin` and `unpin`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Self, TypedDict, TypeVar
from uuid import UUID

import typer

from robbieblocks import database, record, release
from robbieblocks.cli import session
from robbieblocks.cli.asking import asking_account, reason_of
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

    def check(self) -> None:
        """Raise UsageError where all are named, and some."""
        if self.every and (self.nodes or self.apps):
            raise UsageError("--all contradicts --node and --app: leave either out")

    def of(self, site_root: SiteRoot) -> list[tuple[str, str]]:
        """The live apps of nodes that are meant, sorted. Raises UsageError where none is."""
        live = {node: release.apps(site_root, node) for node in release.nodes(site_root)}
        self.check()
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
        return cls(
            who=asking_account(),
            why=reason_of(reason),
            now=datetime.now(UTC),
            until=None if until is None else instant_ahead(until),
        )

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
        return Done(
            node=node,
            app=app,
            act=went.pin.act,
            build_hash=went.pin.build_hash,
            said=_said(went),
        )

    each_in_turn([(node, app, go) for node, app in chosen.of(site_root)], settings, site_root)


def pin(chosen: Chosen, order: Order) -> None:
    """Pin what is live of each app."""
    settings = Settings.from_environment()
    site_root = SiteRoot.of(settings)

    def go(node: str, app: str) -> str:
        held = release.pin_live(site_root, node, app, **order.as_options())
        tell(settings, site_root, node, app)
        return str(held)

    attempts = Attempts()
    for node, app in chosen.of(site_root):
        if said := attempts.of(node, app, go):
            print_result(visible_line(f"{node}/{app}: {said}"))
    attempts.raise_worst()


def unpin(chosen: Chosen, *, database_url: str | None) -> None:
    """Remove pins, then build their nodes. Raises UsageError where nothing is pinned."""
    settings = Settings.from_environment(database_url=database_url)
    site_root = SiteRoot.of(settings)
    places = chosen.of(site_root)
    attempts, freed = Attempts(), list[str]()
    for node, app in places:
        if attempts.of(node, app, partial(release.unpin, site_root, who=asking_account())):
            tell(settings, site_root, node, app, who=asking_account())
            print_progress(f"{node}/{app}: no longer pinned")
            freed.append(node)
    if not freed:
        attempts.raise_worst()
        raise UsageError(f"nothing is pinned of {', '.join(f'{n}/{a}' for n, a in places)}")
    bring_up_to_date(freed, settings, attempts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done to an app: the build hash that is live or held since, and a line about it.

    `act` is the id of its entry in the audit log.
    """

    node: str
    app: str
    act: str
    build_hash: str
    said: str


Step = tuple[str, str, Callable[[str, str], Done]]
"""A node, an app, and what is to be done to the app there."""


Result = TypeVar("Result")


class Attempts:
    """Things that are done one after the other: what fails for one leaves the others alone."""

    def __init__(self) -> None:
        self._failed: list[RobbieBlocksError] = []

    def of(self, node: str, app: str, go: Callable[[str, str], Result]) -> Result | None:
        """What an attempt returns; None where it fails, which is told at once."""
        try:
            return go(node, app)
        except RobbieBlocksError as error:
            print_progress(f"{node}/{app}: {error}")
            self._failed.append(error)
            return None

    @property
    def exit_code(self) -> int:
        """That of the worst failure; 0 where there was none."""
        return max((error.exit_code for error in self._failed), default=0)

    def raise_worst(self) -> None:
        """Raise the first of the worst failures, if there was any."""
        if self._failed:
            raise max(self._failed, key=attrgetter("exit_code"))


def each_in_turn(steps: Iterable[Step], settings: Settings, site_root: SiteRoot) -> None:
    """Do one thing after the other, and record what was done. Raises the worst error at the end."""
    done: list[Done] = []
    attempts = Attempts()
    for node, app, go in steps:
        if each := attempts.of(node, app, go):
            done.append(each)
            print_result(visible_line(f"{node}/{app}: {each.said}"))
    if done:
        _record(settings, site_root, done)
    attempts.raise_worst()


def bring_up_to_date(
    nodes: Iterable[str], settings: Settings, attempts: Attempts | None = None
) -> None:
    """Build nodes, or without any all, print the result, and exit with its code.

    Where one of the `attempts` before failed, with the worse of both codes. All apps of a node: a
    change that affects others, too, waited for all of them.
    """
    from robbieblocks.cli import ahead

    with ahead.prerenderer(settings) as prerenderer:
        from robbieblocks.cli.building import build
        from robbieblocks.pipeline import Request

        # What was kept of a node that was removed can be ended, too.
        request = Request(nodes=tuple(dict.fromkeys(nodes)), allow_missing_nodes=True)
        try:
            build.run(request, "text", settings, prerenderer, adopt=False)
        except typer.Exit as ended:
            worst = attempts.exit_code if attempts else 0
            raise typer.Exit(max(ended.exit_code, worst)) from None


def _said(went: RolledBack) -> str:
    if went.before == went.pin.build_hash:
        return f"{went.pin}; it was live already"
    return f"{went.before[:12]} -> {went.pin}"


def _record(settings: Settings, site_root: SiteRoot, done: Sequence[Done]) -> None:
    """Write a row of each into the history; without the database the site root alone tells."""
    if not session.is_named(settings) and not (settings.home / "postgres").exists():
        print_progress(
            "the history of runs does not tell of it, `robbieblocks audit` does: no database is "
            "named here"
        )
        return
    try:
        with session.opened(settings) as connection:
            release.claim(site_root, database.identity(connection))
            for each in done:
                record.note(
                    connection,
                    id_=UUID(each.act),
                    node=each.node,
                    app=each.app,
                    triggered_by="rollback",
                    build_hash=each.build_hash,
                    log=f"rolled back: {each.said}",
                )
    except RobbieBlocksError as error:
        print_progress(f"done, but the history of runs does not tell of it: {error}")


def instant_ahead(text: str) -> datetime:
    """The instant of --until. Raises UsageError for what is none, or is over already."""
    # Without an instant a rollback needs nothing of the pipeline, which takes long to import.
    from robbieblocks.pipeline import read_instant

    instant = read_instant(text)
    if instant <= datetime.now(UTC):
        raise UsageError(f"--until {visible_line(text)} is over already")
    return instant
