"""Where things are: read once from the environment, and passed down as a value."""

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

    Where `database_url` is None, libpq's own variables name the database, or else the embedded
    server under `home` is used.
    """

    database_url: str | None
    home: Path
    site_root: Path
    cache: Path
    toolchain_cache: Path
    templates: Path
    node_branding: Path
    schema: Path
    health: str | None = None
    smoke_url: str | None = None

    @classmethod
    def from_environment(cls, *, database_url: str | None = None) -> Settings:
        """Settings from the variables that the README lists; relative folders become absolute.

        `database_url` overrides the environment. A variable that is set to nothing is not set.
        """
        home = _folder("ROBBIEBLOCKS_HOME", Path(".robbieblocks"))
        return cls(
            database_url=database_url or _text("ROBBIEBLOCKS_DATABASE_URL"),
            home=home,
            site_root=_folder("ROBBIEBLOCKS_SITE_ROOT", home / "site"),
            cache=_folder("ROBBIEBLOCKS_CACHE", home / "cache"),
            toolchain_cache=_folder(
                "ROBBIEBLOCKS_TOOLCHAIN_CACHE",
                platformdirs.user_cache_path("robbieblocks") / "toolchain",
            ),
            templates=_folder("ROBBIEBLOCKS_TEMPLATES", resource_dir("templates")),
            node_branding=_folder("ROBBIEBLOCKS_NODE_BRANDING", resource_dir("node_branding")),
            schema=resource_dir("schema"),
            health=_text("ROBBIEBLOCKS_HEALTH"),
            smoke_url=_text("ROBBIEBLOCKS_SMOKE_URL"),
        )


def _text(variable: str) -> str | None:
    return os.environ.get(variable) or None


def _folder(variable: str, default: Path) -> Path:
    return Path(os.environ.get(variable) or default).absolute()
