"""What is live on a node of an app: the manifest of a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from robbieblocks.model.values import Sha256, sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEntry:
    """A page in a manifest. `inputs` is the hash of everything the page was made from.

    `listed` says whether search engines may list it: the sitemap has no page that is `noindex`.
    `row_digests` and `input_digests` are short digests of its parts, by which a plan tells why the
    page differs (pipeline.fingerprints); they are empty in manifests of earlier versions.
    """

    key: str
    route: str
    path: str
    inputs: Sha256
    assets: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    listed: bool = True
    row_digests: str = ""
    input_digests: tuple[str, ...] = ()
    card: str = ""
    no_card: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a release holds: `files` maps release paths to the SHA-256 of their bytes.

    Sorting paths that are in order already takes no time: so they are in manifests that are read.

    `sheet_digests` are short digests of what its stylesheet at a fixed address is made from.
    """

    node: str
    app: str
    files: Mapping[str, Sha256]
    pages: tuple[PageEntry, ...] = ()
    assets: tuple[str, ...] = ()
    sheet_digests: tuple[str, ...] = ()
    toolchain: str = ""

    @cached_property
    def build_hash(self) -> Sha256:
        """SHA-256 over the sorted paths and hashes; equal rows and toolchain give an equal hash."""
        return self._hash_of(self.paths)

    @cached_property
    def hash_but_sitemap(self) -> Sha256:
        """As `build_hash`, without the app's sitemap: rows of a folder have none of its dates."""
        sitemap = f"sitemap-{self.app}.xml"
        return self._hash_of([path for path in self.paths if path != sitemap])

    @cached_property
    def paths(self) -> list[str]:
        """The paths of the files, sorted."""
        return sorted(self.files)

    @cached_property
    def by_key(self) -> dict[str, PageEntry]:
        """The pages by page key."""
        return {page.key: page for page in self.pages}

    def _hash_of(self, paths: Iterable[str]) -> Sha256:
        files = self.files
        return sha256("".join([f"{files[path]}  {path}\n" for path in paths]))

    @cached_property
    def without_card(self) -> dict[str, str]:
        """Why pages lack the social card that they should have, by page key."""
        return {page.key: page.no_card for page in self.pages if page.no_card}
