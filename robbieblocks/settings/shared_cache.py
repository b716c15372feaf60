"""`[cache]` in robbieblocks.toml: the bucket in which nodes share what they compile and render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from robbieblocks.errors import UsageError
from robbieblocks.settings.bucket import BucketSettings, bucket_name

# It is read where a shared cache is opened, and kept in no field.
SHARED_CACHE_KEY: Final = "ROBBIEBLOCKS_CACHE_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCacheSettings:
    """The bucket of a shared cache as the project's file names it.

    `has_master` is whether a master says which nodes are believed.
    """

    url: str
    endpoint: str = ""
    region: str = ""
    has_master: bool = False

    @classmethod
    def of(
        cls, in_file: Mapping[str, str], site: BucketSettings | None, *, has_master: bool
    ) -> SharedCacheSettings | None:
        """What a project's file says; None where it names none. `site` is what visitors read.

        Raises UsageError where they are one bucket: its objects are not for visitors.
        """
        url = in_file.get("cache.shared")
        if not url:
            return None
        endpoint = in_file.get("cache.endpoint", "")
        if site is not None and (bucket_name(url), endpoint) == (
            bucket_name(site.url),
            site.endpoint,
        ):
            raise UsageError(
                "cache.shared and bucket.url are in one bucket, which visitors may read\n"
                "  -> name a bucket for cache.shared that nodes alone may read"
            )
        region = in_file.get("cache.region", "")
        return cls(url=url, endpoint=endpoint, region=region, has_master=has_master)
