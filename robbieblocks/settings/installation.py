"""The settings of one installation, and the folders that come along."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from robbieblocks.check_rules import RULES
from robbieblocks.settings.addresses import Addresses, addresses_in
from robbieblocks.settings.applications import applications_in
from robbieblocks.settings.bucket import BucketSettings
from robbieblocks.settings.entries import NAME_A_DATABASE, SETTINGS, STYLES, StyleSetting
from robbieblocks.settings.events import EventSettings
from robbieblocks.settings.forms import Forms, ReceiverSettings
from robbieblocks.settings.freeze_windows import FreezeWindow
from robbieblocks.settings.media_bucket import MediaBucketSettings
from robbieblocks.settings.project_file import (
    ProjectFile,
    current_folder,
    find_project_file,
    read_project_file,
)
from robbieblocks.settings.search import SearchSettings
from robbieblocks.settings.shared_cache import SharedCacheSettings
from robbieblocks.settings.sync import SyncSettings

if TYPE_CHECKING:
    from robbieblocks.model import CollectionSource

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_KEYS: Final = {setting.variable: setting.key for setting in SETTINGS}
_BY_KEY: Final = {setting.key: setting for setting in SETTINGS}


def resource_dir(name: str) -> Path:
    """The folder `templates`, `node_branding` or `schema`: of the checkout, or in the wheel."""
    packaged = _PACKAGE / "_data" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Folders and addresses of one installation.

    Where `database_url` is None, libpq's own variables name the database, or else the embedded
    server under `home` is used. `project` is the project's file, None outside of one. The first of
    the folders `templates` that has a file provides it. `applications` has the address of each
    application by its path, `checks` has the level of each rule,
    `addresses` where visitors reach each node, `styles` where pages have their styles,
    `source_maps` whether those of components are published, `freeze_windows` when nothing goes out,
    `in_file` what the project's file says, by table and key; `events` is None where nobody is told.
    `shared_cache` is the bucket in which nodes share results, `media_bucket` that in which media
    lie; None without one. `collections` are
    the views whose rows become pages, `forms` says where forms are sent.
    `search` says which apps have an index, `sync` how the database is kept in step with a master.
    What the `keep_` numbers mean, says `release.Retention`.
    """

    database_url: str | None
    home: Path
    site_root: Path
    cache: Path
    toolchain_cache: Path
    templates: tuple[Path, ...]
    content: Path
    node_branding: Path
    schema: Path
    project: Path | None = None
    health: str | None = None
    smoke_url: str | None = None
    addresses: Addresses = field(default_factory=Addresses)
    browser: str | None = None
    styles: StyleSetting = "auto"
    source_maps: bool = False
    bucket: BucketSettings | None = None
    shared_cache: SharedCacheSettings | None = None
    media_bucket: MediaBucketSettings | None = None
    keep_releases: int = _BY_KEY["site.keep_releases"].default_number
    keep_days: int = _BY_KEY["site.keep_days"].default_number
    keep_assets_days: int = _BY_KEY["site.keep_assets_days"].default_number
    media_size_max_mb: int = _BY_KEY["media.size_max_mb"].default_number
    applications: Mapping[str, str] = field(default_factory=dict[str, str])
    freeze_windows: tuple[FreezeWindow, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict[str, str])
    in_file: Mapping[str, str] = field(default_factory=dict[str, str])
    events: EventSettings | None = None
    sync: SyncSettings = field(default_factory=SyncSettings)
    collections: tuple[CollectionSource, ...] = ()
    forms: Forms = field(default_factory=Forms)
    search: SearchSettings = field(default_factory=SearchSettings)

    @classmethod
    def from_environment(cls, *, database_url: str | None = None) -> Settings:
        """Settings as docs/settings.md lists them: from variables, then from the project's file.

        `database_url` overrides both. Folders become absolute: those of the file are relative to
        it. What is set to nothing is not set. Raises UsageError for a file with a mistake.
        """
        project = find_project_file()
        given = _Given(project)
        bucket = BucketSettings.of(given.in_file)
        home = given.folder("ROBBIEBLOCKS_HOME", ".robbieblocks")
        forms = Forms(
            by_name=given.file.forms,
            receiver=ReceiverSettings.of(
                given.in_file,
                per_minute=given.number("receiver.per_minute"),
                keep_days=given.number("receiver.keep_days"),
            ),
        )
        return cls(
            database_url=database_url or given.database_url(),
            home=home,
            site_root=given.folder("ROBBIEBLOCKS_SITE_ROOT", home / "site"),
            cache=given.folder("ROBBIEBLOCKS_CACHE", home / "cache"),
            toolchain_cache=given.folder(
                "ROBBIEBLOCKS_TOOLCHAIN_CACHE",
                platformdirs.user_cache_path("robbieblocks") / "toolchain",
            ),
            templates=given.templates(),
            content=given.folder("ROBBIEBLOCKS_CONTENT", "content"),
            node_branding=given.folder("ROBBIEBLOCKS_NODE_BRANDING", "node_branding"),
            schema=resource_dir("schema"),
            project=project,
            health=given.text("ROBBIEBLOCKS_HEALTH"),
            smoke_url=given.text("ROBBIEBLOCKS_SMOKE_URL"),
            addresses=addresses_in(
                given.in_file,
                given.text("ROBBIEBLOCKS_SMOKE_URL"),
                purges=bool(given.file.events and given.file.events.on_publish),
            ),
            browser=given.text("ROBBIEBLOCKS_BROWSER"),
            styles=given.styles(),
            source_maps=given.key("site.source_maps") == "on",
            keep_releases=given.number("site.keep_releases"),
            keep_days=given.number("site.keep_days"),
            keep_assets_days=given.number("site.keep_assets_days"),
            media_size_max_mb=given.number("media.size_max_mb"),
            checks={rule.name: given.key(f"checks.{rule.name}") or rule.level for rule in RULES},
            applications={**applications_in(given.in_file), **forms.applications},
            forms=forms,
            bucket=bucket,
            shared_cache=SharedCacheSettings.of(
                given.in_file,
                bucket,
                has_master=bool(given.text("ROBBIEBLOCKS_SYNC_MASTER_URL")),
            ),
            media_bucket=MediaBucketSettings.of(given.in_file, bucket),
            freeze_windows=given.file.freeze_windows,
            in_file=given.in_file,
            events=given.file.events,
            sync=SyncSettings.of(
                given.in_file,
                master=given.text("ROBBIEBLOCKS_SYNC_MASTER_URL"),
                interval_s=given.number("sync.interval"),
            ),
            collections=given.file.collections,
            search=SearchSettings.of(given.in_file),
        )


class _Given:
    """What the environment and the project's file say."""

    def __init__(self, project: Path | None) -> None:
        self._project = project
        self._base = current_folder() if project is None else project.parent
        self.file = ProjectFile() if project is None else read_project_file(project)
        self.in_file = self.file.values

    def text(self, variable: str) -> str | None:
        return os.environ.get(variable) or self.key(_KEYS[variable])

    def key(self, key: str) -> str | None:
        return self.in_file.get(key) or None

    def styles(self) -> StyleSetting:
        # The file's reader has refused every other value.
        named: dict[str | None, StyleSetting] = {each: each for each in STYLES}
        return named.get(self.key("site.styles"), "auto")

    def number(self, key: str) -> int:
        value = self.key(key)
        return _BY_KEY[key].default_number if value is None else int(value)

    def folder(self, variable: str, default: str | Path) -> Path:
        if named := os.environ.get(variable):
            return Path(named).absolute()
        return self._base / (self.key(_KEYS[variable]) or default)

    def database_url(self) -> str | None:
        variable = "ROBBIEBLOCKS_DATABASE_URL"
        if any(map(os.environ.get, NAME_A_DATABASE)):
            return os.environ.get(variable) or None
        return self.text(variable)

    def templates(self) -> tuple[Path, ...]:
        variable, packaged = "ROBBIEBLOCKS_TEMPLATES", resource_dir("templates")
        own = self.folder(variable, "templates")
        if self.text(variable) is None and (self._project is None or not own.is_dir()):
            return (packaged,)
        return (own, packaged)
