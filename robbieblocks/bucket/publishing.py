"""A push: what is live is read after the pointer, so that a swap never brings back what is older.

Whoever's swap succeeds has read what is live after the pointer that it replaced. So a publisher of
the same site root that slept can't win against a newer one. One with another site root may take
over only where its caller says that it is the one that publishes now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from robbieblocks import failpoints
from robbieblocks.bucket.flat_layout import FlatLayout
from robbieblocks.bucket.pointer import FlatPointer, RouterPointer
from robbieblocks.bucket.record import own_record, write_record
from robbieblocks.bucket.router_layout import RouterLayout
from robbieblocks.bucket.source import Source, SourceChanged
from robbieblocks.bucket.telling import Tell
from robbieblocks.bucket.uploading import Layout
from robbieblocks.errors import BucketUnavailable, SiteUnavailable, UsageError
from robbieblocks.objectstore import Address, Bucket, Overtaken
from robbieblocks.release import SiteRoot
from robbieblocks.settings import BucketLayout, BucketSettings

_TRIES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push did. `taken_over` says that another site root was published there before."""

    builds: Mapping[str, str]
    swapped: bool
    objects: int = 0
    size_bytes: int = 0
    taken_over: bool = False


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Publishes one node. `may_take_over` is asked where another site root was published last.

    `go_on` is asked between objects. `tell` is called once the bucket has what it
    had not. Only one thread may use it.
    """

    site_root: SiteRoot
    node: str
    bucket: Bucket
    layout: BucketLayout
    may_take_over: Callable[[], bool] = lambda: False
    go_on: Callable[[], bool] = lambda: True
    tell: Tell = lambda _before, _after: None
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def push(self, *, verify: bool = False, adopt: bool = False) -> Pushed:
        """Bring the bucket to what is live; what failed is in the record, too.

        `adopt` lets it take over from another site root, and write over what others put there.
        Raises BucketUnavailable, SiteUnavailable, and UsageError where it may not take over.
        """
        record = own_record(self.site_root, self.node)
        layout = self._layout(record.writer, verify=verify, adopt=adopt)
        try:
            pushed = self._push(layout, record.writer, adopt=adopt)
        except (BucketUnavailable, SiteUnavailable, UsageError) as error:
            write_record(self.site_root, self.node, record.failed(str(error), self.clock()))
            raise
        done = record.published(str(self.bucket.address), pushed.builds, self.clock())
        if pushed.swapped or record.error or done.builds != record.builds:
            if done.builds != record.builds or done.url != record.url:
                # Before the record: after a kill it is told again, and not never.
                failpoints.reached("bucket not told")
                self.tell(record, done)
            write_record(self.site_root, self.node, done)
        return pushed

    def published(self) -> RouterPointer | FlatPointer | None:
        """What the bucket says of itself. Raises BucketUnavailable and UsageError."""
        held = self._layout("").read()
        return held.pointer if held else None

    def prune(self) -> int:
        """Remove what is not kept; how many objects. Raises BucketUnavailable and UsageError."""
        return self._layout("").prune(self.clock())

    def _layout(self, writer: str, *, verify: bool = False, adopt: bool = False) -> Layout:
        if self.layout == "router":
            return RouterLayout(
                bucket=self.bucket,
                writer=writer,
                go_on=self.go_on,
                retention=self.site_root.retention,
                verify=verify,
            )
        return FlatLayout(
            bucket=self.bucket,
            writer=writer,
            go_on=self.go_on,
            retention=self.site_root.retention,
            verify=verify,
            adopt=adopt,
        )

    def _push(self, layout: Layout, writer: str, *, adopt: bool) -> Pushed:
        changed: SourceChanged | None = None
        for _try in range(_TRIES):
            try:
                return self._once(layout, writer, adopt=adopt)
            except Overtaken:
                changed = None
            except SourceChanged as error:
                changed = error
        if changed is not None:
            raise SiteUnavailable(
                f"{self.node}: {changed} is not what its release says\n"
                "  -> the next full build repairs it; it is published then"
            )
        raise BucketUnavailable(
            f"{self.bucket.address} is written by another publisher, which was there first"
        )

    def _once(self, layout: Layout, writer: str, *, adopt: bool) -> Pushed:
        held = layout.read()
        other = held is not None and held.pointer.writer != writer
        if other and not adopt and not self.may_take_over():
            raise UsageError(
                f"{self.bucket.address} was published last from another site root\n"
                "  -> `robbieblocks bucket push --adopt` takes it over, and so does the worker "
                "that has the node, once it has built it"
            )
        # Read after the pointer: see the top of this file.
        source = Source.of(self.site_root, self.node)
        if not source.manifests:
            raise UsageError(
                f"node {self.node} has no live release under {self.site_root.path}: "
                "run `robbieblocks build` first"
            )
        prepared = layout.prepare(source, held)
        if prepared.swap is not None:
            if other and not adopt and not self.may_take_over():
                raise BucketUnavailable(f"another worker has {self.node} now")
            prepared.swap()
        return Pushed(
            builds=source.builds,
            swapped=prepared.swap is not None,
            objects=prepared.uploads.objects,
            size_bytes=prepared.uploads.size_bytes,
            taken_over=other,
        )


def open_publisher(
    settings: BucketSettings,
    site_root: SiteRoot,
    node: str,
    tell: Tell = lambda _before, _after: None,
) -> Publisher:
    """The publisher of a node. Raises UsageError for an address that is none."""
    address = Address.parse(
        settings.url_of(node), endpoint=settings.endpoint, region=settings.region
    )
    return Publisher(
        site_root=site_root, node=node, bucket=Bucket(address), layout=settings.layout, tell=tell
    )
