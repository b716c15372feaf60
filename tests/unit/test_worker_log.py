"""The worker's log lines."""

from __future__ import annotations

import io
import json

from robbieblocks.worker import open_log


def test_the_log_is_json_for_machines_and_text_for_people() -> None:
    """Each JSON line has its event, level, time and what was bound."""
    stream = io.StringIO()
    open_log("json", stream).bind(node="n").warning("run.finished", app="play", count=2)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["node"], line["app"], line["count"]) == (
        "run.finished",
        "warning",
        "n",
        "play",
        2,
    )
    assert line["timestamp"].endswith("Z")
    stream = io.StringIO()
    open_log("text", stream).info("worker.started")
    assert "worker.started" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
