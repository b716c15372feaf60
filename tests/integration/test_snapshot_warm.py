"""A warm context reads what changed, and everything where nobody asked for a change."""

from __future__ import annotations

import psycopg
import pytest

from robbieblocks.database import connect
from robbieblocks.model import Snapshot
from robbieblocks.pipeline import BuildContext
from tests.building import Builder, run_of

pytestmark = pytest.mark.postgres

VENGEANCE, PLAY = "vengeance-local", "play"
_TITLE = "UPDATE robbieblocks_pages SET meta_title = %s WHERE page_key = 'robbie-play-home'"


def _content(builder: Builder) -> Snapshot:
    content = builder.context.memory.content
    assert content is not None
    return content


def test_an_edit_is_read_by_itself(seeded: Builder, whole: list[str]) -> None:
    """A build after an edit reads that page and publishes it; the rest is of the last build."""
    seeded.build(nodes=[VENGEANCE])
    before = _content(seeded)
    whole.clear()
    seeded.sql(_TITLE, "Read by itself")
    report = seeded.build(nodes=[VENGEANCE])
    assert not whole
    assert [page.key for page in run_of(report, VENGEANCE, PLAY).changed] == ["robbie-play-home"]
    assert "Read by itself" in seeded.html(VENGEANCE, PLAY, "play/index.html")
    known = {id(page) for page in before.pages}
    fresh = [page.key for page in _content(seeded).pages if id(page) not in known]
    assert fresh == ["robbie-play-home"]
    assert _content(seeded).components is before.components


def test_a_look_of_its_own_reads_everything(seeded: Builder, whole: list[str]) -> None:
    """An edit that left no queue row goes out with the next look that nobody asked for."""
    seeded.build(nodes=[VENGEANCE])
    whole.clear()
    assert seeded.settings.database_url
    with psycopg.connect(seeded.settings.database_url, user="postgres") as replica:
        replica.execute("SET session_replication_role = replica")
        replica.execute(_TITLE, ("Not in the queue",))
    seeded.build(nodes=[VENGEANCE])
    assert "Not in the queue" not in seeded.html(VENGEANCE, PLAY, "play/index.html")
    assert not whole
    seeded.build(nodes=[VENGEANCE], unasked=True)
    assert whole
    assert "Not in the queue" in seeded.html(VENGEANCE, PLAY, "play/index.html")


def test_another_connection_reads_everything(seeded: Builder, whole: list[str]) -> None:
    """After a reconnection everything is read, and what reads the same is the same object."""
    seeded.build(nodes=[VENGEANCE])
    before = _content(seeded)
    whole.clear()
    with connect(seeded.settings, application_name="again") as seeded.connection:
        seeded.build(nodes=[VENGEANCE])
    assert whole
    assert _content(seeded).pages is before.pages


def test_old_queue_rows_go(seeded: Builder) -> None:
    """A build that looks for damage removes rows that were handled long ago."""
    seeded.sql(
        "INSERT INTO robbieblocks_change_triggers"
        " (trigger_type, entity_type, entity_id, processed_at)"
        " VALUES ('page_update', 'page', gen_random_uuid(), now() - interval '40 days')"
    )
    old = (
        "SELECT id FROM robbieblocks_change_triggers"
        " WHERE processed_at < now() - interval '30 days'"
    )
    seeded.build(nodes=[VENGEANCE], repair=False)
    assert seeded.sql(old)
    seeded.build(nodes=[VENGEANCE])
    assert not seeded.sql(old)


def test_standby_trees_are_made_beside_a_build_that_reads_everything(
    seeded: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker's first build, and those that nobody asked for: another would be held up."""
    seeded.context.close()
    seeded.context = BuildContext.open(seeded.settings, seeded.said.append, standby=True)
    beside: list[bool] = []
    monkeypatch.setattr(
        seeded.context.maintenance,
        "request",
        lambda *_, at_once=False, **_options: beside.append(at_once),
    )
    for unasked, expected in ((False, 1), (False, 1), (True, 2)):
        seeded.build(nodes=[VENGEANCE], unasked=unasked)
        assert sum(beside) == expected
    seeded.context.close()
