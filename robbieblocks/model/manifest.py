"""What is live on a node of an app: the manifest of a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from robbieblocks.model.page_entries import PageEntries, PageEntry
from robbieblocks.model.release_files import ReleaseFiles
from robbieblocks.model.values import Sha256


@dataclass(frozen=True, slots=True)
class ManifestBase:
    """An earlier manifest, by the SHA-256 of its JSON: others are told from it."""

    digest: Sha256
    manifest: Manifest


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a release holds: `files` maps release paths to the SHA-256 of their bytes.

    `sheet_digests` are short digests of what its stylesheet at a fixed address is made from.
    `base` is what it is told from on the disk; None where it is written whole.
    """

    node: str
    app: str
    files: Mapping[str, Sha256]
    pages: tuple[PageEntry, ...] = ()
    assets: tuple[str, ...] = ()
    sheet_digests: tuple[str, ...] = ()
    toolchain: str = ""
    base: ManifestBase | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        files: ReleaseFiles,
        pages: PageEntries,
        *,
        node: str,
        app: str,
        assets: tuple[str, ...],
        sheet_digests: tuple[str, ...],
        toolchain: str,
        base: ManifestBase | None = None,
    ) -> Self:
        """The manifest with these files and pages, and with what is known of them already."""
        made = cls(
            node=node,
            app=app,
            files=files.hashes,
            pages=pages.pages,
            assets=assets,
            sheet_digests=sheet_digests,
            toolchain=toolchain,
            base=base,
        )
        vars(made).update(release_files=files, page_entries=pages)
        return made

    def with_files(self, changes: Mapping[str, Sha256 | None], assets: tuple[str, ...]) -> Self:
        """This one with other files of some paths (None: without them), and these assets."""
        return self.of(
            self.release_files.altered(changes),
            self.page_entries,
            node=self.node,
            app=self.app,
            assets=assets,
            sheet_digests=self.sheet_digests,
            toolchain=self.toolchain,
        )

    def told_from(self, base: ManifestBase | None) -> Self:
        """This one, told from that on the disk, or written whole."""
        return self.of(
            self.release_files,
            self.page_entries,
            node=self.node,
            app=self.app,
            assets=self.assets,
            sheet_digests=self.sheet_digests,
            toolchain=self.toolchain,
            base=base,
        )

    @cached_property
    def release_files(self) -> ReleaseFiles:
        """The files, with what is found of them in advance."""
        return ReleaseFiles(self.files)

    @cached_property
    def page_entries(self) -> PageEntries:
        """The pages, with what is looked up among them."""
        return PageEntries(self.pages)

    @property
    def build_hash(self) -> Sha256:
        """SHA-256 over the sorted paths and hashes; equal rows and toolchain give an equal hash."""
        return self.release_files.build_hash

    @cached_property
    def hash_but_sitemap(self) -> Sha256:
        """As `build_hash`, without the app's sitemap: rows of a folder have none of its dates."""
        return self.release_files.hash_without(f"sitemap-{self.app}.xml")

    @property
    def paths(self) -> list[str]:
        """The paths of the files, sorted."""
        return self.release_files.paths

    @property
    def by_key(self) -> dict[str, PageEntry]:
        """The pages by page key."""
        return self.page_entries.by_key

    @property
    def without_card(self) -> dict[str, str]:
        """Why pages lack the social card that they should have, by page key."""
        return self.page_entries.without_card
