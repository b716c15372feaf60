"""`robbieblocks bucket`: what is in it, publishing to it, routers, and folders for other hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import typer

from robbieblocks import bucket, release
from robbieblocks.bucket import FlatPointer, RouterKind, StaticHost
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.errors import BucketUnavailable, RobbieBlocksError, SiteUnavailable, UsageError
from robbieblocks.messages import counted, printable, visible_line
from robbieblocks.new_folder import check_is_new, write_new_folder
from robbieblocks.objectstore import Address
from robbieblocks.record import Finding
from robbieblocks.release import SiteRoot
from robbieblocks.settings import BucketSettings, Settings

_HASH_DIGITS: Final = 12
_PUSH: Final = "a worker publishes it, or `robbieblocks bucket push`"


@dataclass(frozen=True, slots=True, kw_only=True)
class _NodeState:
    """A node's bucket. `published` is None where the bucket could not be asked: `error` says why.

    `unfinished`: a push was cut off in it, or is on its way.
    `failing_since` is when tries to publish began to fail, and `last_error` why the last one did.
    """

    node: str
    bucket: str
    live: Mapping[str, str]
    published: Mapping[str, str] | None
    ours: bool
    unfinished: bool
    error: str
    failing_since: str
    last_error: str

    @property
    def state(self) -> str:
        if self.published is None:
            return "unknown"
        if not self.published:
            return "nothing published"
        if not self.ours:
            return "from another site root"
        if self.unfinished:
            return "behind"
        return "up to date" if dict(self.live) == dict(self.published) else "behind"


def status(*, nodes: Sequence[str], format_: str) -> None:
    """Print each node's state; exit with 1 where one is not up to date."""
    given, site_root, chosen = _opened(Settings.from_environment(), nodes)
    states = [_state(given, site_root, node) for node in chosen]
    if format_ == "json":
        print_result(json.dumps([asdict(each) | {"state": each.state} for each in states]))
    else:
        for each in states:
            print_result("\n".join(_lines(each)))
    if any(each.state != "up to date" for each in states):
        raise typer.Exit(1)


def findings(given: BucketSettings, site_root: SiteRoot, nodes: Sequence[str]) -> Iterator[Finding]:
    """What the records of nodes tell against their buckets, which are not asked."""
    for node in nodes:
        live = bucket.live_builds(site_root, node)
        if not live or not given.has(node):
            continue
        record = bucket.read_record(site_root, node)
        where = given.url_of(node)
        address = str(Address.parse(where))
        if record is not None and record.error:
            what, _, remedy = record.error.replace("\n", " ").partition("  -> ")
            since = f"nothing reaches {where} since {record.failing_since}: {what}"
            yield Finding(node=node, what=since, remedy=remedy or _PUSH, stops=False)
        elif record is None or record.url != address or dict(record.builds) != dict(live):
            what = f"{where} does not have what is live here"
            yield Finding(node=node, what=what, remedy=_PUSH, stops=False)


def push(*, nodes: Sequence[str], verify: bool, prune: bool, adopt: bool) -> None:
    """Publish nodes one after the other; the first error of each is told at the end."""
    settings = Settings.from_environment()
    given, site_root, chosen = _opened(settings, nodes)
    failed: list[RobbieBlocksError] = []
    for node in chosen:
        try:
            tell = bucket.Telling(settings, site_root, node).tell
            publisher = bucket.open_publisher(given, site_root, node, tell)
            done = publisher.push(verify=verify, adopt=adopt)
            what = f"wrote {counted(done.objects, 'object')}, {done.size_bytes} bytes"
            print_result(f"{node}: {what if done.swapped or done.objects else 'unchanged'}")
            if prune:
                print_result(f"{node}: removed {counted(publisher.prune(), 'object')}")
        except RobbieBlocksError as error:
            failed.append(error)
            if len(chosen) > 1:
                print_progress(f"{node}: {error}")
    if failed:
        raise failed[0]


def router(*, kind: RouterKind, node: str) -> None:
    """Print a router. Raises UsageError."""
    given = _given(Settings.from_environment())
    if given.layout != "router":
        raise UsageError('a router needs bucket.layout = "router" in robbieblocks.toml')
    print_result(bucket.router_of(kind, Address.parse(given.url_of(node))).removesuffix("\n"))


def export(*, host: StaticHost, out: Path, node: str) -> None:
    """Write the folder. Raises UsageError, and SiteUnavailable where it can't be written."""
    settings = Settings.from_environment()
    check_is_new(out)
    site_root = SiteRoot.of(settings)
    made = bucket.static_site(host, site_root, node, settings.applications)
    try:
        write_new_folder(out, {Path(path): content for path, content in made.files.items()})
    except OSError as error:
        raise SiteUnavailable(
            f"could not write {printable(str(out))}: {error.strerror}\n  -> name another folder"
        ) from error
    for note in made.notes:
        print_progress(note)
    print_result(f"wrote {counted(len(made.files), 'file')} to {printable(str(out))}")


def _given(settings: Settings) -> BucketSettings:
    if settings.bucket is None:
        raise UsageError(
            'no bucket is named\n  -> in robbieblocks.toml: [bucket] with url = "s3://name/{node}"'
        )
    return settings.bucket


def _opened(
    settings: Settings, nodes: Sequence[str]
) -> tuple[BucketSettings, SiteRoot, Sequence[str]]:
    given = _given(settings)
    site_root = SiteRoot.of(settings)
    found = [node for node in release.nodes(site_root) if given.has(node)]
    if strange := [node for node in nodes if node not in found]:
        raise UsageError(
            f"node {printable(strange[0])} is not published to the bucket: it has no live release "
            f"under {site_root.path}, or bucket.nodes leaves it out"
        )
    chosen = list(dict.fromkeys(nodes)) or found
    if not chosen:
        raise UsageError(f"nothing is live under {site_root.path}: run `robbieblocks build` first")
    return given, site_root, chosen


def _state(given: BucketSettings, site_root: SiteRoot, node: str) -> _NodeState:
    publisher = bucket.open_publisher(given, site_root, node)
    record = bucket.read_record(site_root, node)
    pointer, error = None, ""
    try:
        pointer = publisher.published()
    except (BucketUnavailable, UsageError) as problem:
        error = str(problem)
    builds = dict(pointer.builds) if pointer else {}
    return _NodeState(
        node=node,
        bucket=str(publisher.bucket.address),
        live=dict(bucket.live_builds(site_root, node)),
        published=None if error else builds,
        unfinished=isinstance(pointer, FlatPointer) and pointer.uploading,
        ours=pointer is not None and record is not None and pointer.writer == record.writer,
        error=error,
        failing_since=record.failing_since if record else "",
        last_error=record.error if record else "",
    )


def _lines(state: _NodeState) -> list[str]:
    lines = [f"{state.node}: {state.state}  {state.bucket}"]
    published = state.published or {}
    for app in sorted(state.live.keys() | published.keys()):
        live, there = (of.get(app, "-")[:_HASH_DIGITS] for of in (state.live, published))
        unknown = "?" if state.published is None else there
        lines.append(f"  {visible_line(app)}: live {live}, published {unknown}")
    if state.error:
        lines.append(f"  {state.error}")
    elif state.last_error:
        lines.append(f"  failing since {state.failing_since}: {state.last_error}")
    return lines
