"""Where things are: read once from the environment, and passed down as a value."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import platformdirs

_PACKAGE = Path(__file__).resolve().parent


class Variable(NamedTuple):
    """An environment variable that is read, as the README describes it."""

    name: str
    default: str
    meaning: str


VARIABLES: Final = (
    Variable("ROBBIEBLOCKS_DATABASE_URL", "the embedded server", "the database"),
    Variable(
        "ROBBIEBLOCKS_HEALTH",
        "`127.0.0.1:9464`",
        "where a worker answers `/healthz`, `/readyz` and `/metrics`",
    ),
    Variable("ROBBIEBLOCKS_HOME", "`.robbieblocks`", "what this installation makes and keeps"),
    Variable("ROBBIEBLOCKS_SITE_ROOT", "`site` in the home", "the sites: one folder a node"),
    Variable(
        "ROBBIEBLOCKS_SMOKE_URL",
        "nothing is fetched",
        "where visitors reach the node: changed pages are fetched there after each swap, and wrong "
        "ones swap it back",
    ),
    Variable(
        "ROBBIEBLOCKS_CACHE",
        "`cache` in the home",
        "compiled and rendered results; losing it costs time only",
    ),
    Variable(
        "ROBBIEBLOCKS_TOOLCHAIN_CACHE",
        "the user's cache folder",
        "esbuild, React and fonts, fetched once",
    ),
    Variable("ROBBIEBLOCKS_TEMPLATES", "`templates`", "layouts and base styles"),
    Variable("ROBBIEBLOCKS_NODE_BRANDING", "`node_branding`", "the reviewed branding of each node"),
)


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
        """Settings from VARIABLES; relative paths are relative to the current folder.

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
