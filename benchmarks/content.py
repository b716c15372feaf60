"""What an edit costs where pages show each other: a blog with lists, a feed and tags; a shop."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import psycopg

from benchmarks import content_rows, machine, processes
from benchmarks.apps import Size
from benchmarks.processes import FailedError
from benchmarks.scenarios import Bench
from benchmarks.sites import Site, Worker
from benchmarks.targets import Result

SIZES: Final = (1_000, 10_000)
_ROUNDS: Final = 7
# An edit of everything takes seconds.
_ROUNDS_OF_ALL: Final = 2
# The first edits of a worker's life find no standby trees: here those are made before.
_STANDBY_S: Final = 8.0
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class _Edit:
    """An edit; the pages that it rewrites of an app, of a site of so many (None: all); its target's
    id.
    """

    name: str
    make: Callable[[psycopg.Connection], None]
    pages: int | None
    target: str = ""
    app: str = content_rows.APP


def content(bench: Bench) -> None:
    """Each edit of both sites at each size: time, pages written, CPU; and where the time goes."""
    rows: list[dict[str, Any]] = []
    for pages in SIZES[:1] if bench.quick else SIZES:
        for fill, project, edits in (
            (content_rows.fill_blog, "", _OF_BLOG),
            (content_rows.fill_shop, content_rows.SHOP_PROJECT, _OF_SHOP),
        ):
            with bench.ground.site(Size(pages, 2, 3), fill, project) as site:
                if project:
                    site.run("collections", "install", "--apply")
                site.build(timeout=600)
                with site.worker() as worker:
                    worker.until_live(edits[0].make)
                    time.sleep(_STANDBY_S)
                    rows += [_measured(bench, worker, edit, pages) for edit in edits]
    bench.details["content"] = rows


def _measured(bench: Bench, worker: Worker, edit: _Edit, pages: int) -> dict[str, Any]:
    """A row of the part's table. Raises FailedError where other pages were written."""
    if edit.pages is not None:
        worker.until_live(edit.make, edit.app)
    runs: list[float] = []
    used: list[float] = []
    written, phases = 0, dict[str, float]()
    for _ in range(_ROUNDS_OF_ALL if edit.pages is None else _ROUNDS):
        before = processes.cpu(worker.pid)
        runs.append(worker.until_live(edit.make, edit.app))
        used.append(sum(v - before.get(pid, 0.0) for pid, v in processes.cpu(worker.pid).items()))
        written, phases = _last_run(worker.site, edit.app)
        is_expected = written >= pages if edit.pages is None else written == edit.pages
        if not is_expected:
            wanted = "all" if edit.pages is None else edit.pages
            raise FailedError(f"{edit.name}: {written} pages were written, and not {wanted}")
    pace = machine.pace()
    if edit.target and pages == SIZES[-1]:
        bench.add(Result.of(edit.target, runs, pace, _longest(phases)))
    found = {"pages": pages, "edit": edit.name, "ms": median(runs), "max_ms": max(runs)}
    found |= {"written": written, "cpu_ms": median(used), "machine_ms": pace}
    bench.say(f"  {', '.join(f'{name} {value}' for name, value in found.items())}")
    return found


def _last_run(site: Site, app: str) -> tuple[int, dict[str, float]]:
    """How many pages the last run of an app wrote, and its phases in ms."""
    with site.connect() as connection:
        row = connection.execute(_LAST_RUN, (app,)).fetchone()
    if row is None:
        raise FailedError("no run has ended")
    details = row[0]
    return len(details["pages"]) + details["more_pages"], details["phases_ms"]


def _longest(phases: Mapping[str, float]) -> str:
    found = sorted(phases.items(), key=lambda phase: -phase[1])
    return ", ".join(f"{name} {took:.0f}" for name, took in found if took >= 1)


def _post_published(connection: psycopg.Connection) -> None:
    """The first draft, now: it enters the home page, its feed and a tag's list, and has a
    neighbour.
    """
    connection.execute(
        "UPDATE robbieblocks_pages SET status = 'published', published_at = now() WHERE id = ("
        "SELECT id FROM robbieblocks_pages WHERE status = 'draft' ORDER BY page_key LIMIT 1)"
    )


def _block(page: str, order: int) -> Callable[[psycopg.Connection], None]:
    def edit(connection: psycopg.Connection) -> None:
        connection.execute(
            "UPDATE robbieblocks_page_blocks SET "
            "props = jsonb_set(props, '{text}', to_jsonb(%s::text)) WHERE block_order = %s "
            "AND page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = %s)",
            (f"Edition {next(_numbers)}", order, page),
        )

    return edit


def _component(connection: psycopg.Connection) -> None:
    connection.execute(
        "UPDATE robbieblocks_components SET react_code = regexp_replace(react_code, "
        "'<small>[^<]*', '<small>' || %s) WHERE component_key = 'bench-rare'",
        (f"Edition {next(_numbers)}",),
    )


def _redirect(connection: psycopg.Connection) -> None:
    connection.execute(
        "UPDATE robbieblocks_pages SET "
        "metadata = jsonb_set(metadata, '{redirect_from}', %s::text::jsonb) "
        "WHERE page_key = 'post-00007'",
        (f'["/bench/old-{next(_numbers)}/"]',),
    )


def _row(connection: psycopg.Connection) -> None:
    connection.execute(
        "UPDATE bench_products SET note = %s WHERE slug = 'p-00003'",
        (f"Edition {next(_numbers)}",),
    )


_OF_BLOG: Final = (
    _Edit("a component", _component, 10),
    _Edit("a block", _block("post-00003", 1), 1),
    _Edit("a post published", _post_published, 4, "post-10000"),
    _Edit(
        "a post published, to a list of another app",
        _post_published,
        1,
        app=content_rows.OTHER_APP,
    ),
    _Edit("a redirect added", _redirect, 0),
    _Edit("a frame", _block("frame", 2), None),
    _Edit("a frame of shared", _block("everywhere", 1), None),
)
_OF_SHOP: Final = (_Edit("a row of a view", _row, 1, "row-10000"),)

_LAST_RUN: Final = """
    SELECT details FROM robbieblocks_deploys
     WHERE completed_at IS NOT NULL AND app_namespace = %s
     ORDER BY started_at DESC LIMIT 1
"""
