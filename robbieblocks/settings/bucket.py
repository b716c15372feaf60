"""`[bucket]` in robbieblocks.toml: the bucket to which what is live is published, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from robbieblocks.errors import UsageError

BucketLayout = Literal["router", "flat"]
_NODE: Final = "{node}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSettings:
    """A bucket as the project's file names it. Without `nodes` every node is published to it.

    `{node}` in `url` stands for the node; a url without it is for one node.
    """

    url: str
    endpoint: str = ""
    region: str = ""
    layout: BucketLayout = "router"
    nodes: tuple[str, ...] = ()

    @classmethod
    def of(cls, in_file: Mapping[str, str]) -> BucketSettings | None:
        """What a project's file says; None where it names no bucket. Raises UsageError."""
        url = in_file.get("bucket.url")
        if not url:
            return None
        nodes = tuple(in_file.get("bucket.nodes", "").replace(",", " ").split())
        if _NODE not in url and len(nodes) != 1:
            raise UsageError(
                "bucket.url is for one node, and bucket.nodes does not name one\n"
                '  -> name it in bucket.nodes, or write {node} into the url: "s3://name/{node}"'
            )
        return cls(
            url=url,
            endpoint=in_file.get("bucket.endpoint", ""),
            region=in_file.get("bucket.region", ""),
            layout="flat" if in_file.get("bucket.layout") == "flat" else "router",
            nodes=nodes,
        )

    def has(self, node: str) -> bool:
        """Whether a node is published to it."""
        return not self.nodes or node in self.nodes

    def url_of(self, node: str) -> str:
        """Where a node is published."""
        return self.url.replace(_NODE, node)


def bucket_name(url: str) -> str:
    """The name of the bucket in an address `s3://name/prefix`."""
    return url.removeprefix("s3://").partition("/")[0]
