"""Makes a review: both sites are really built, in memory, and their pages compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from psycopg import Connection

from robbieblocks import content, release
from robbieblocks.errors import ContentError, UsageError
from robbieblocks.file_reading import read_file
from robbieblocks.messages import did_you_mean
from robbieblocks.model import Sha256, Snapshot
from robbieblocks.pipeline import BuildContext, Proposal, propose
from robbieblocks.release import SiteRoot
from robbieblocks.review import differences, effects, findings, mistakes, sources
from robbieblocks.review.sources import Sides, Source
from robbieblocks.review.values import Base, NewFinding, Review, Reviewed, RunEffect
from robbieblocks.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to compare with, and what to show of it: empty `pages`, `apps` and `nodes` mean all.

    With `prune` rows whose files are gone are removed, where the base is `live`.
    """

    against: str
    pages: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    drafts: bool = False
    prune: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """One side, built; `hash` is one of all that its pages are made from."""

    source: Source
    rows: Snapshot
    proposal: Proposal
    hash: Sha256


def review(
    asked: Asked,
    *,
    settings: Settings,
    context: BuildContext,
    connect: Callable[[], AbstractContextManager[Connection]],
    now: datetime,
    progress: Callable[[str], None],
) -> Reviewed:
    """Compare the project with `asked.against`. Nothing is written, but for the cache.

    `connect` opens the database where that is `live`. Raises UsageError for a base that is not
    there and names that neither side has, ContentError where the base can't be built, and what
    builds raise.
    """
    memory = content.PageMemory(context.cache)
    with sources.opened(
        asked.against, settings, prune=asked.prune, connect=connect, memory=memory
    ) as sides:
        memory.save()
        # Files that everything is made from have mistakes: both sides would be the base.
        before = _made(sides.before, settings, context, asked, now, progress)
        texts = _templates(sides.before.templates)
        try:
            after = _made(sides.after, settings, context, asked, now, progress, before)
        except ContentError as error:
            return _unbuilt(error, sides, before, settings)
    judge = findings.Checks(settings=settings, cache=context.cache)
    return _reviewed(asked, sides, before, after, texts, judge)


def _made(
    source: Source,
    settings: Settings,
    context: BuildContext,
    asked: Asked,
    now: datetime,
    progress: Callable[[str], None],
    before: _Made | None = None,
) -> _Made:
    context.use(replace(settings, templates=source.templates), progress)
    rows = content.as_rows(
        source.content,
        taken_at=now,
        drafts=asked.drafts,
        previous=before.rows if before else None,
        sources=settings.collections,
    )
    proposal = propose(rows, context=context, before=before.proposal if before else None, now=now)
    hash_ = source.hash(f"{context.page_renderer.id} {context.toolchain.id}")
    return _Made(source=source, rows=rows, proposal=proposal, hash=hash_)


def _reviewed(
    asked: Asked,
    sides: Sides,
    before: _Made,
    after: _Made,
    templates: Mapping[str, str | None],
    judge: findings.Checks,
) -> Reviewed:
    settings = judge.settings
    old, new = before.proposal, after.proposal
    _check_names(asked, before.rows, after.rows)
    shown = {key for made in (old, new) for key in made.inspection.shown_for(asked.pages)}
    pages = [
        page
        for page in effects.page_effects(old, new)
        if (not asked.pages or page.key in shown)
        and (not asked.apps or page.app in asked.apps)
        and (not asked.nodes or page.node in asked.nodes)
    ]
    rows = (
        *differences.row_changes(sides.before.content, sides.after.content),
        *differences.template_changes(templates, _templates(sides.after.templates)),
    )
    found, solved = findings.new(judge.of(old, before.hash), judge.of(new, after.hash))
    unread = mistakes.new(sides.before.problems, sides.after.problems, settings.checks)
    runs = tuple(
        run
        for run in effects.run_effects(new, settings)
        if (not asked.apps or run.app in asked.apps)
        and (not asked.nodes or run.node in asked.nodes)
    )
    made = Review(
        base=_base(sides, before),
        after=after.hash,
        rows=tuple(
            row for row in rows if not asked.pages or row.entity != "page" or row.key in asked.pages
        ),
        runs=runs,
        pages=tuple(pages),
        findings=(*unread, *found, *judge.moved(old, new)),
        solved=solved,
        notes=(*sides.before.notes, *sides.after.notes, *_frozen(runs, settings, new.plan.now)),
    )
    return Reviewed(review=made, before=old.composed, after=new.composed)


def _frozen(runs: Sequence[RunEffect], settings: Settings, now: datetime) -> Iterator[str]:
    """What would wait for the end of a freeze, as notes: an app on a node each."""
    site_root = SiteRoot(settings.site_root)
    for run in runs:
        found = release.frozen(site_root, settings.freeze_windows, run.node, run.app, now)
        if found is not None:
            yield f"{run.app} on {run.node} is {found}; what changes there would wait"


def _unbuilt(error: ContentError, sides: Sides, before: _Made, settings: Settings) -> Reviewed:
    """The review where everything stays as it is, because a template has a mistake."""
    made = Review(
        base=_base(sides, before),
        after=sides.after.hash("unbuilt"),
        rows=differences.row_changes(sides.before.content, sides.after.content),
        findings=(
            *mistakes.new(sides.before.problems, sides.after.problems, settings.checks),
            *(NewFinding(rule="build-error", problem=each) for each in error.problems),
        ),
        notes=(*sides.before.notes, *sides.after.notes, NOTHING_GOES_OUT),
    )
    composed = before.proposal.composed
    return Reviewed(review=made, before=composed, after=composed)


NOTHING_GOES_OUT = "a template has a mistake: as long as it has, nothing goes out"


def _base(sides: Sides, before: _Made) -> Base:
    return Base(
        kind=sides.kind,
        name=sides.name,
        hash=before.hash,
        commit=sides.commit,
        date=sides.date,
    )


def _check_names(asked: Asked, *sides: Snapshot) -> None:
    """Raise UsageError for a name that neither side has."""
    nodes = {row.id for rows in sides for row in rows.nodes}
    pages = {row.key for rows in sides for row in rows.pages}
    apps = {row.app for rows in sides for row in rows.pages}
    for kind, names, known in (
        ("node", asked.nodes, nodes),
        ("published page", asked.pages, pages),
        ("app with pages", asked.apps, apps),
    ):
        for name in names:
            if name not in known:
                raise UsageError(f"there is no {kind} {name!r}: {did_you_mean(name, known)}")


def _templates(folders: tuple[Path, ...]) -> dict[str, str | None]:
    """The texts of templates by path, each as pages use it; None for a file that is no text.

    Those that come with this program are the same on both sides: a project's own one that takes
    the place of one of them is compared with it.
    """
    found: dict[str, str | None] = {}
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            name = file.relative_to(folder).as_posix()
            if name.startswith(".") or "/." in name or not file.is_file():
                continue
            try:
                text = read_file(file, folder).decode()
            except (OSError, UnicodeDecodeError):
                text = None
            found.setdefault(name, text)
    return found
