"""What a shell completes after `--node` and `--page`: names of files and folders, no database."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from robbieblocks.errors import RobbieBlocksError


def node_ids(incomplete: str) -> list[str]:
    """The nodes with a branding file, or with pages in the site root."""
    from robbieblocks.settings import Settings

    found: set[str] = set()
    with suppress(RobbieBlocksError, OSError):
        settings = Settings.from_environment()
        found |= {file.stem for file in settings.node_branding.glob("*.toml")}
        found |= {folder.name for folder in settings.site_root.glob("[!.]*/")}
    return sorted(name for name in found if name.startswith(incomplete))


def page_keys(incomplete: str) -> list[str]:
    """The pages with a file in the project's content folder."""
    from robbieblocks.settings import Settings

    found: list[Path] = []
    with suppress(RobbieBlocksError, OSError):
        found = sorted((Settings.from_environment().content / "pages").glob("*.toml"))
    return [file.stem for file in found if file.stem.startswith(incomplete)]
