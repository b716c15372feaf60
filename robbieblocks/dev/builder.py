"""The builder's thread: imports files, makes what changed, and says what is wrong."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from psycopg import Connection

from robbieblocks import database, snapshot
from robbieblocks.content import ContentPlaces
from robbieblocks.dev.events import Events
from robbieblocks.dev.importing import FileImport, read_templates
from robbieblocks.dev.problems import as_fault, as_problems, as_said, as_shown
from robbieblocks.dev.site import NodeSite
from robbieblocks.dev.workshop import Workshop
from robbieblocks.errors import (
    DatabaseUnavailable,
    Problem,
    RobbieBlocksError,
    Transient,
    UsageError,
)
from robbieblocks.messages import did_you_mean
from robbieblocks.model import JsonObject
from robbieblocks.pipeline import BuildContext, PreviewedRun, Request, Target, preview
from robbieblocks.row_faults import is_fault
from robbieblocks.settings import Settings

# No notification tells of drafts and of the clock, so all is compared now and then.
_PAUSE_MIN_S: Final = 1.0
# Comparing takes at most this share of the time.
_SHARE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What all browsers are shown: drafts too, and the site as it is at an instant (None: now)."""

    drafts: bool = True
    at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Builder:
    """Builds whenever `wake` was called, until `stopped`. `nodes` are those asked for; empty: all.

    `sites` are there once `started` has its result: the ids of the nodes, after the first build.
    """

    settings: Settings
    nodes: tuple[str, ...]
    events: Events
    say: Callable[[str], None]
    stopped: threading.Event = field(default_factory=threading.Event)
    started: Future[tuple[str, ...]] = field(default_factory=Future[tuple[str, ...]])
    view: View = field(default_factory=View)
    sites: Mapping[str, NodeSite] = field(default_factory=dict[str, NodeSite])
    workshop: Workshop = field(default_factory=Workshop)
    _woken: threading.Event = field(default_factory=threading.Event)
    _changed: threading.Event = field(default_factory=threading.Event)
    _files: threading.Event = field(default_factory=threading.Event)
    _templates: threading.Event = field(default_factory=threading.Event)
    _problems: Mapping[str, tuple[Problem, ...]] = field(
        default_factory=dict[str, tuple[Problem, ...]]
    )
    _of_files: tuple[Problem, ...] = ()
    _of_templates: tuple[Problem, ...] = ()
    _told: Mapping[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    _said: frozenset[str] = frozenset()
    _new: set[str] = field(default_factory=set[str])
    places: ContentPlaces = field(init=False)
    _connection: Connection | None = None

    def __post_init__(self) -> None:
        self._look_anew()

    def wake(self) -> None:
        """Have a build made, as after a change in the database."""
        self._changed.set()
        self._woken.set()

    def stage(self) -> None:
        """Have the stages of the workshop made, and nothing compared."""
        self._woken.set()

    def files_changed(self, paths: Iterable[Path]) -> None:
        """Have files imported, and templates read, whatever lies below which."""
        own = self.settings.templates
        for path in paths:
            if any(path.is_relative_to(folder) for folder in own):
                self._templates.set()
            else:
                self._files.set()
        self.wake()

    def show(self, view: View) -> None:
        """Show all browsers another view."""
        self.view = view
        self.wake()

    def stop(self) -> None:
        """End the thread after what it does now."""
        self.stopped.set()
        self._woken.set()

    def run(self) -> None:
        """The thread's work. What keeps it from beginning is the exception of `started`."""
        try:
            self._run()
        except BaseException as error:
            if self.started.done():
                raise
            self.started.set_exception(error)

    def _run(self) -> None:
        importing = FileImport(
            folder=self.settings.content,
            branding=self.settings.node_branding,
            say=self.say,
            media_size_max_mb=self.settings.media_size_max_mb,
        )
        with BuildContext.open(self.settings, self.say, linked=True) as context:
            chosen = self._begin(importing)
            self._once(context, importing)
            self.started.set_result(chosen)
            pause = 0.0
            while not self.stopped.is_set():
                woken = self._woken.wait(pause)
                # In this order: what changes from now on wakes again.
                self._woken.clear()
                only_stages = woken and not _taken(self._changed)
                began = time.monotonic()
                done = self.stopped.is_set() or self._once(
                    context, importing, only_stages=only_stages
                )
                took_s = time.monotonic() - began
                # What changed is not shown yet, and may be as soon as it is tried again.
                pause = max(_PAUSE_MIN_S, _SHARE * took_s if done else took_s)
            self._disconnect()

    def state(self, node: str) -> JsonObject:
        """What a browser is told of a node, besides its pages."""
        view = self.view
        at = view.at.isoformat().replace("+00:00", "Z") if view.at else ""
        told = self._told.get(node, {})
        return {"version": self.sites[node].version, "drafts": view.drafts, "at": at, **told}

    def _begin(self, importing: FileImport) -> tuple[str, ...]:
        """Import the files, and learn which nodes are shown."""
        connection = self._connected()
        self._of_files = importing.run(connection)
        self._say_problems()
        known = tuple(node.id for node in snapshot.nodes(connection))
        for name in self.nodes:
            if name not in known:
                raise UsageError(f"there is no node {name!r}: {did_you_mean(name, known)}")
        chosen = self.nodes or known
        if not chosen:
            raise UsageError(
                "robbieblocks_node_branding has no rows, so there is no node to show: write a file "
                "into node_branding/, or insert a row"
            )
        self.sites = {node: NodeSite(node) for node in chosen}
        return chosen

    def _once(
        self, context: BuildContext, importing: FileImport, *, only_stages: bool = False
    ) -> bool:
        """Make what changed; false where something failed that may go well the next time."""
        done = True
        files, templates = _taken(self._files), _taken(self._templates)
        if files or templates:
            self._look_anew()
        try:
            if templates:
                self._of_templates = read_templates(context, self.say)
            connection = self._connected()
            if files:
                self._of_files = importing.run(connection)
            if not only_stages or files or templates:
                self._show(self._made(context, connection))
                self.workshop.saw(context.memory.content, importing.found, self._found())
            self.workshop.build(self.sites, context)
        except RobbieBlocksError as error:
            self._try_again(files=files, templates=templates)
            self._problems = {**self._problems, "": as_problems(error)}
            done = not isinstance(error, Transient)
            if isinstance(error, DatabaseUnavailable):
                self._disconnect()
        except BaseException as error:
            # A fault here must not leave a page that stands still.
            if not is_fault(error):
                raise
            self._try_again(files=files, templates=templates)
            fault = as_fault(error)
            if str(fault) not in self._said:
                self.say("".join(traceback.format_exception(error)))
            self._problems = {**self._problems, "": (fault,)}
        self._say_problems()
        self._tell_browsers()
        self.events.tell()
        return done

    def _try_again(self, *, files: bool, templates: bool) -> None:
        """Read again what a build that failed may not have read."""
        if files:
            self._files.set()
        if templates:
            self._templates.set()

    def _made(self, context: BuildContext, connection: Connection) -> tuple[PreviewedRun, ...]:
        view = self.view
        before = {
            Target(node, app): manifest
            for node, site in self.sites.items()
            for app, manifest in site.manifests.items()
        }
        return preview(
            Request(nodes=self.nodes, drafts=view.drafts, at=view.at, allow_missing_apps=True),
            before=before,
            context=context,
            connection=connection,
            clock=lambda: datetime.now(UTC),
            progress=lambda _: None,
        )

    def _show(self, made: Sequence[PreviewedRun]) -> None:
        for node in sorted({run.target.node for run in made} - self.sites.keys() - self._new):
            self.say(f"the node {node} is new: start `robbieblocks dev` again to see it")
            self._new.add(node)
        problems: dict[str, tuple[Problem, ...]] = {}
        for node, site in self.sites.items():
            runs = [run for run in made if run.target.node == node]
            site.update(runs)
            made_now = (problem for run in runs for problem in run.problems)
            problems[node] = tuple(dict.fromkeys((*made_now, *site.warnings)))
        self._problems = problems

    def _tell_browsers(self) -> None:
        """Make what `state` says of problems: it is asked for by the server's thread."""
        common = (*self._of_files, *self._of_templates, *self._problems.get("", ()))
        told: dict[str, JsonObject] = {}
        for node in self.sites:
            problems = [*common, *self._problems.get(node, ())]
            shown = [(each.severity, as_shown(each, self.places)) for each in problems]
            told[node] = {
                "problems": [text for severity, text in shown if severity == "error"],
                "warnings": [text for severity, text in shown if severity != "error"],
            }
        self._told = told

    def _say_problems(self) -> None:
        """Print each problem once, until it is mended and comes back."""
        found = (*self._of_files, *self._of_templates, *self._found())
        now = {str(problem): problem for problem in found}
        for text, problem in now.items():
            if text not in self._said:
                self.say(as_said(problem, self.places))
        if self._said and not now:
            self.say("no problem is left")
        self._said = frozenset(now)

    def _found(self) -> Iterator[Problem]:
        """The problems of what was built."""
        return (problem for found in self._problems.values() for problem in found)

    def _look_anew(self) -> None:
        """Look places up in the files as they are now; they are read at the first problem."""
        own = self.settings
        self.places = ContentPlaces(own.content, own.node_branding, *own.templates)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(self.settings, application_name="robbieblocks dev")
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None


def _taken(flag: threading.Event) -> bool:
    """Whether it was set; what sets it from now on is for the next time."""
    was = flag.is_set()
    if was:
        flag.clear()
    return was
