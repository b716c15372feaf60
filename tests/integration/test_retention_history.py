"""The history of what stays on the disk: real builds, years of them, with their rows aged."""
# ruff: noqa: E501  # statements read best on one line

from __future__ import annotations

import os
from typing import Final, LiteralString

import pytest

from robbieblocks import history, release
from robbieblocks.history import AskedRuns, Run
from robbieblocks.release import AppFolder
from robbieblocks.release.names import VERIFIED, is_release
from tests.building import Builder

pytestmark = pytest.mark.postgres

NODE: Final = "vengeance-local"
BUILDS: Final = 10
HOME: Final = "robbie-play-home"
_DAYS: Final = 40
_AGED: tuple[LiteralString, ...] = (
    "UPDATE robbieblocks_deploys SET started_at = started_at - interval '40 days', completed_at = completed_at - interval '40 days'",
    "UPDATE robbieblocks_change_triggers SET created_at = created_at - interval '40 days', processed_at = processed_at - interval '40 days'",
)
# What a database that was away for a while leaves: each has the hash of what stayed live.
_FAILED: LiteralString = """
    INSERT INTO robbieblocks_deploys (node_id, app_namespace, build_hash, deploy_status, triggered_by, started_at)
    SELECT node_id, app_namespace, build_hash, 'failed', 'worker', now() + number * interval '1 ms'
      FROM (SELECT DISTINCT ON (node_id, app_namespace) node_id, app_namespace, build_hash
              FROM robbieblocks_deploys WHERE deploy_status = 'success'
             ORDER BY node_id, app_namespace, started_at DESC) AS live, generate_series(1, %s) AS number
"""


def age(seeded: Builder) -> None:
    """Let forty days pass: for the rows, and for what was live when."""
    for statement in _AGED:
        seeded.sql(statement)
    for verified in seeded.site_root.path.glob(f"*/*/releases/*/{VERIFIED}"):
        then = verified.stat().st_mtime - _DAYS * 86_400
        os.utime(verified, (then, then))


def title(version: int) -> str:
    """The title that the home page has in a version."""
    return f"Version {version}"


def brought(seeded: Builder) -> dict[str, Run]:
    """The runs that published something of the app, by hash, as far as the history has them."""
    found = history.runs(seeded.connection, AskedRuns(node=NODE, app="play", limit=1000))
    return {run.build_hash: run for run in found if run.touched}


def test_the_history_answers_for_each_release_that_stays(seeded: Builder) -> None:
    """What differs between it and what is live, and who changed what to what; what came before it
    is removed, though nothing but failed runs came after."""
    hashes = []
    for version in range(BUILDS):
        seeded.sql(
            "UPDATE robbieblocks_pages SET meta_title = %s WHERE page_key = %s",
            title(version),
            HOME,
        )
        assert seeded.build().exit_code == 0
        live = seeded.live(NODE, "play")
        assert live is not None
        hashes.append(live.build_hash)
        seeded.sql(_FAILED, 1)
        age(seeded)
    seeded.sql(_FAILED, 60)
    assert seeded.build().exit_code == 0
    assert seeded.context.maintenance.wait(60)
    release.prune(seeded.site_root, NODE, "play")

    folder = AppFolder.of(seeded.site_root, NODE, "play").releases
    kept = [each for each in hashes if (folder / each).is_dir()]
    assert kept == hashes[-5:]
    assert len([each for each in os.scandir(folder) if is_release(each.name)]) == 5
    runs = brought(seeded)
    assert set(runs) == set(kept), "the history of others is removed"
    for number, build_hash in enumerate(kept, start=BUILDS - 5):
        (own,) = history.changes_of(seeded.connection, runs[build_hash])
        assert (own.before or {})["meta_title"] == title(number - 1)
        if build_hash == kept[-1]:
            continue
        found = history.between(seeded.connection, runs[build_hash], runs[kept[-1]])
        assert [(page.key, page.change) for page in found.touched] == [(HOME, "changed")]
        assert [(change.after or {})["meta_title"] for change in found.changes] == [
            title(later) for later in range(number + 1, BUILDS)
        ]
        for change in found.changes:
            shown = history.change(seeded.connection, str(change.id)[:8])
            assert NODE in {run.node for run in shown.runs}
            assert history.difference(shown) is not None
    (rows,) = seeded.sql(
        "SELECT count(*) FROM robbieblocks_change_triggers WHERE after ->> 'page_key' = %s", HOME
    )
    assert rows["count"] == 5, "the changes of others are removed"
