"""Routers: small programs that stand before a bucket, and answer by what its pointer names."""

from robbieblocks.bucket.routers.rendering import RouterKind, router_of

__all__ = ["RouterKind", "router_of"]
