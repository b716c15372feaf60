"""Tells of submissions, and removes what is old, in a thread of the receiver's."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from robbieblocks import events, failpoints
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.events import FormReceived
from robbieblocks.forms import store
from robbieblocks.forms.rows import Rows
from robbieblocks.forms.store import Submission
from robbieblocks.settings import Settings
from robbieblocks.worker import Log, Notifier

_PASS_S: Final = 5.0
_PRUNE_S: Final = 3600.0
# What waits in the outbox is limited: a flood of forms must not displace other events.
_WAITING_MAX: Final = 200
_AT_ONCE: Final = 50


@dataclass(slots=True)
class Telling:
    """Notes the event of each submission that nobody was told of: the table is what it goes by."""

    settings: Settings
    node: str
    rows: Rows
    log: Log
    notifier: Notifier
    wake: threading.Event = field(default_factory=threading.Event)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _pruned: float | None = None

    @contextlib.contextmanager
    def running(self) -> Generator[None]:
        """While it is entered, a thread does its passes."""
        thread = threading.Thread(target=self._run, name="telling", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            self.wake.set()
            thread.join(_PASS_S)

    def do_pass(self) -> None:
        """Note what is to be told, and remove what is old. Raises RobbieBlocksError."""
        if self._pruned is None or time.monotonic() - self._pruned > _PRUNE_S:
            keep_days = self.settings.forms.receiver.keep_days
            removed = self.rows.call(lambda it: store.prune(it, keep_days))
            self._pruned = time.monotonic()
            if removed:
                self.log.info("forms.pruned", submissions=removed)
        if self.settings.events is None:
            return
        folder = events.folder_of(self.settings.site_root, self.node)
        if len(events.state_of(folder, self.settings.events).waiting) >= _WAITING_MAX:
            return
        for each in self.rows.call(lambda it: store.untold(it, self.node, _AT_ONCE)):
            events.note(self.settings, self._event(each))
            failpoints.reached("form noted")
            self.rows.call(partial(store.mark_told, identity=each.id))

    def _run(self) -> None:
        """Do passes until stopped. No error ends it: systemd waits for its signs of life."""
        while not self._stopped.is_set():
            try:
                self.do_pass()
            except RobbieBlocksError as error:
                self.log.warning("forms.not_told", error=str(error))
            except Exception:
                self.log.exception("forms.broken")
            self.notifier.send("WATCHDOG=1")
            self.wake.wait(_PASS_S)
            self.wake.clear()

    def _event(self, submission: Submission) -> FormReceived:
        form = self.settings.forms.by_name.get(submission.form)
        tell = form.tell if form is not None else ()
        fields = submission.fields
        return FormReceived(
            node=submission.node,
            app=submission.app,
            at=submission.received_at,
            key=str(submission.id),
            submission=str(submission.id),
            form=submission.form,
            page=submission.page,
            fields=tuple(f"{name}: {fields[name]}" for name in tell if name in fields),
        )
