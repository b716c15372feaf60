"""What both layouts do to publish, and how many objects are written at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeVar

from robbieblocks.bucket.pointer import Held
from robbieblocks.bucket.source import Source
from robbieblocks.errors import BucketUnavailable

_AT_ONCE: Final = 16
Item = TypeVar("Item")


@dataclass(slots=True)
class Uploads:
    """What was written so far."""

    objects: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything is written. `swap` makes it count; it is None where that counts already.

    `swap` raises Overtaken where another publisher came between.
    """

    uploads: Uploads
    swap: Callable[[], None] | None = None


class Layout(Protocol):
    """How objects lie in a bucket. Each method raises BucketUnavailable."""

    def read(self) -> Held | None:
        """The pointer that counts now. Raises UsageError for another object in its place."""
        ...

    def prepare(self, source: Source, held: Held | None) -> Prepared:
        """Write what differs. Raises Overtaken, SourceChanged and SiteUnavailable."""
        ...

    def prune(self, now: datetime, /) -> int:
        """Remove what is not kept; how many objects."""
        ...


def each(
    items: Iterable[Item], do: Callable[[Item], None], go_on: Callable[[], bool] = lambda: True
) -> None:
    """Do something with each item, some at a time. The first failure is raised.

    Raises BucketUnavailable where it may not `go_on`; what is done stays done.
    """
    listed: Sequence[Item] = list(items)

    def one(item: Item) -> None:
        if not go_on():
            raise BucketUnavailable("the upload was interrupted: the next one goes on with it")
        do(item)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="bucket") as executor:
        tasks = [executor.submit(one, item) for item in listed]
        wait(tasks, return_when=FIRST_EXCEPTION)
        for task in tasks:
            task.cancel()
    for task in tasks:
        if not task.cancelled():
            task.result()
