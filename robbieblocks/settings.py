"""Where things are: read once from the environment, passed down as a value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent


def resource_dir(name: str) -> Path:
    """The folder `templates`, `node_branding` or `schema`: of the checkout, or in the wheel."""
    packaged = _PACKAGE / "_data" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Folders and addresses of one installation.

    `database_url` None means the standard libpq variables where one is set, else the embedded
    server under `home`.
    """

    database_url: str | None
    home: Path
    site_root: Path
    cache: Path
    toolchain_cache: Path
    templates: Path
    node_branding: Path
    schema: Path

    @classmethod
    def from_environment(cls, *, database_url: str | None = None) -> Settings:
        """Settings from ROBBIEBLOCKS_* variables; relative paths count from the current folder."""
        home = Path(os.environ.get("ROBBIEBLOCKS_HOME", ".robbieblocks")).absolute()

        def place(variable: str, default: Path) -> Path:
            value = os.environ.get(variable)
            return Path(value).absolute() if value else default

        return cls(
            database_url=database_url or os.environ.get("ROBBIEBLOCKS_DATABASE_URL") or None,
            home=home,
            site_root=place("ROBBIEBLOCKS_SITE_ROOT", home / "site"),
            cache=place("ROBBIEBLOCKS_CACHE", home / "cache"),
            toolchain_cache=place(
                "ROBBIEBLOCKS_TOOLCHAIN_CACHE",
                platformdirs.user_cache_path("robbieblocks") / "toolchain",
            ),
            templates=place("ROBBIEBLOCKS_TEMPLATES", resource_dir("templates")),
            node_branding=place("ROBBIEBLOCKS_NODE_BRANDING", resource_dir("node_branding")),
            schema=resource_dir("schema"),
        )
