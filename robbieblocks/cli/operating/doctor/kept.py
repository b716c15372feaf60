"""Looks at what is fetched, kept and overridden: toolchain, cache, templates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from robbieblocks import shared_cache, toolchain
from robbieblocks.cli.content import templates
from robbieblocks.cli.operating.doctor.findings import Finding, broken, failed, note, ok
from robbieblocks.cli.output import print_progress
from robbieblocks.errors import RobbieBlocksError, UsageError
from robbieblocks.objectstore import Originals, Right
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


_RIGHTS: Final[dict[Right, tuple[str, str]]] = {
    "read": ("s3:GetObject", "pages whose files were not made yet are held back"),
    "list": ("s3:ListBucket", "`check` and `media prune` can't tell what is there"),
    "write": (
        "s3:PutObject",
        "no import and no `media add` can put a file there; builds need it not",
    ),
    "remove": ("s3:DeleteObject", "`media prune` can't remove what nothing needs"),
}


def media_bucket(settings: Settings) -> Iterator[Finding]:
    """Whether the bucket of media may be read, listed and written."""
    if settings.media_bucket is None:
        return
    url = settings.media_bucket.url
    try:
        tried = dict(Originals(settings.media_bucket).rights())
    except UsageError as error:
        yield failed("media", error, "correct [media] in robbieblocks.toml")
        return
    if all(tried.values()):
        what, _, remedy = tried["read"].partition("\n  -> ")
        remedy = remedy or "see whether the bucket is there, and what it allows"
        yield broken("media", f"{url}: {what}", remedy, why=_RIGHTS["read"][1])
        return
    for right, refused in tried.items():
        if refused:
            needed, why = _RIGHTS[right]
            what = f"{url}: {refused.partition(chr(10))[0]}"
            remedy = f"give this account {needed} below the prefix, where it is to do that"
            yield (broken if right == "read" else note)("media", what, remedy, why=why)
    if not any(tried.values()):
        yield ok("media", f"{url} may be read, listed and written")


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
