"""`[media]` in robbieblocks.toml: the bucket in which files of media lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from robbieblocks.errors import UsageError
from robbieblocks.settings.bucket import BucketSettings, bucket_name


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaBucketSettings:
    """The bucket of media as the project's file names it."""

    url: str
    endpoint: str = ""
    region: str = ""

    @classmethod
    def of(
        cls, in_file: Mapping[str, str], site: BucketSettings | None
    ) -> MediaBucketSettings | None:
        """What a project's file says; None where it names none. `site` is what visitors read.

        Raises UsageError where they are one bucket: a photo as it was taken says where that was.
        """
        url = in_file.get("media.bucket")
        if not url:
            return None
        endpoint = in_file.get("media.endpoint", "")
        if site is not None and (bucket_name(url), endpoint) == (
            bucket_name(site.url),
            site.endpoint,
        ):
            raise UsageError(
                "media.bucket and bucket.url are in one bucket, which visitors may read\n"
                "  -> name a bucket for media.bucket that nodes and editors alone may read"
            )
        return cls(url=url, endpoint=endpoint, region=in_file.get("media.region", ""))
