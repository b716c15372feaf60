"""Looks at what is fetched, kept and overridden: toolchain, cache, templates."""

from __future__ import annotations

import os
from collections.abc import Iterator

from robbieblocks import shared_cache, toolchain
from robbieblocks.cli.content import templates
from robbieblocks.cli.operating.doctor.findings import Finding, broken, failed, note, ok
from robbieblocks.cli.output import print_progress
from robbieblocks.errors import RobbieBlocksError, UsageError
from robbieblocks.ownership import distrust
from robbieblocks.settings import Settings


def toolchain_(settings: Settings) -> Iterator[Finding]:
    """Whether it is there, or can be fetched."""
    if not toolchain.is_fetched(settings):
        what = f"esbuild, React and the fonts are not in {settings.toolchain_cache} yet"
        if toolchain.can_fetch():
            remedy = (
                "robbieblocks toolchain fetches them, or the first build; npm's registry is needed"
            )
            yield note("toolchain", what, remedy)
        else:
            why = "there is no npm on this machine that could fetch them, so no build ends well"
            yield broken("toolchain", what, "pip install 'robbieblocks[local]'", why=why)
        return
    try:
        found = toolchain.ensure(settings, print_progress)
    except RobbieBlocksError as error:
        yield failed("toolchain", error, "correct what it names")
    else:
        yield ok("toolchain", f"{found.root}; no Node and no browser need be installed")


def cache(settings: Settings) -> Iterator[Finding]:
    """Whether builds can keep what they compile."""
    path = settings.cache
    if not path.exists():
        yield ok("cache", f"{path}, which the first build makes")
        return
    why = distrust(path)
    if not why and not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        why = f"{path} may not be written"
    if not why:
        yield ok("cache", str(path))
        return
    remedy = "make it your own, with mode 0700, or name another in ROBBIEBLOCKS_CACHE"
    yield broken("cache", why, remedy, why="nothing is kept, so builds take longer")


def shared(settings: Settings) -> Iterator[Finding]:
    """Whether nodes can share what they compile and render."""
    if settings.shared_cache is None:
        return
    try:
        shared_cache.try_out(settings.shared_cache, settings.cache)
    except UsageError as error:
        yield failed("cache", error, "correct [cache] in robbieblocks.toml")
    except RobbieBlocksError as error:
        what, _, remedy = str(error).partition("\n  -> ")
        why = "each node makes by itself what others have made"
        remedy = remedy or "see whether the bucket is there, and what it allows"
        yield note("cache", f"{settings.shared_cache.url}: {what}", remedy, why=why)
    else:
        yield ok("cache", f"{settings.shared_cache.url} takes entries and gives them back")


def templates_(settings: Settings) -> Iterator[Finding]:
    """Which of the package's are overridden, and by what."""
    for folder in settings.templates:
        if not folder.is_dir():
            remedy = "make it, or correct ROBBIEBLOCKS_TEMPLATES or project.templates"
            what = f"{folder} is not a folder"
            yield broken("templates", what, remedy)
            return
    found = list(templates.overrides(settings))
    if not found:
        yield ok("templates", "none of the package's is overridden")
    for each in found:
        yield _override(each)


def _override(each: templates.Override) -> Finding:
    compare = f"diff {each.packaged} {each.own}"
    if each.equal:
        return note("templates", f"{each.name} is the package's, unchanged", f"remove {each.own}")
    if each.outdated is None:
        what = f"{each.name} takes the place of the package's; what it was copied from is not known"
        return note("templates", what, f"{compare}; `templates copy` notes it")
    if each.outdated:
        what = f"{each.name} was copied from {each.version}, and the package's has changed since"
        return note("templates", what, compare)
    return ok("templates", f"{each.name} was copied from {each.version}, which is as it was")
