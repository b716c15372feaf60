"""`robbieblocks content adopt`."""

from __future__ import annotations

import difflib
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import typer

from robbieblocks.adoption import AdoptedFile, Adoption, FileMerge, adopt
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.errors import UsageError
from robbieblocks.pipeline import BuildContext
from robbieblocks.process import temporary_folder
from robbieblocks.settings import PROJECT_FILE, Settings

_DONE = {"add": "added", "update": "changed", "remove": "changed", "keep": "kept"}
_VERBS = {"add": "add", "update": "change", "remove": "change", "keep": "keep"}
_SHEETS = (
    "colours, fonts and spaces become tokens (content/tokens.toml); other rules for whole pages "
    "are custom_css in node_branding/<node>.toml; Tailwind is there already"
)


def run(
    source: Path,
    *,
    dry_run: bool,
    theirs: Iterable[str],
    ours: Iterable[str],
    format_: Literal["text", "json"],
) -> None:
    """Adopt a folder, print what was done; exit 1 where a file does not work or is in conflict."""
    files, own = set(theirs), set(ours)
    if both := files & own:
        raise UsageError(f"--theirs and --ours both name {', '.join(sorted(both))}: name one side")
    with (
        _settings(dry_run=dry_run) as settings,
        BuildContext.open(settings, print_progress) as context,
    ):
        done = adopt(source, settings.content, context, theirs=files, ours=own, dry_run=dry_run)
    if format_ == "json":
        print_result(as_json(_json(done, dry_run=dry_run)))
    else:
        print_result("\n".join(_text(done, dry_run=dry_run)))
    raise typer.Exit(0 if done.in_order else 1)


@contextmanager
def _settings(*, dry_run: bool) -> Generator[Settings]:
    """The project's settings; a dry run needs no project, and leaves nothing where there is none.

    Raises UsageError.
    """
    settings = Settings.from_environment()
    if settings.project is not None:
        yield settings
    elif not dry_run:
        raise UsageError(
            f"there is no {PROJECT_FILE} here or above, so there is no content folder to write to\n"
            "  -> make a project with `robbieblocks new DIR`, and run this in it; "
            "--dry-run works everywhere"
        )
    else:
        with temporary_folder() as folder:
            yield replace(settings, cache=folder / "cache", content=folder / "content")


def _text(done: Adoption, *, dry_run: bool) -> Iterator[str]:
    """A line for each file with what is said of it below, then what concerns several files."""
    widest = max((len(each.draft.file) for each in done.files), default=0)
    keys = max((len(each.draft.key) for each in done.files), default=0)
    for each in sorted(done.files, key=lambda each: each.draft.file):
        draft = each.draft
        head = f"{draft.file:<{widest}}  {draft.key:<{keys}}  {draft.kind:<9}"
        yield f"{head}  {_state(each)}  {_action(each, _VERBS if dry_run else _DONE)}".rstrip()
        yield from (f"    {line}" for line in _details(each))
    for problem in done.folder.unreadable.values():
        yield str(problem)
    yield ""
    for what, names in _skipped(done):
        yield f"left out ({what}): {names}"
    for key, source in done.left.items():
        yield f"left: components/{key}, whose file {source} is gone; remove the folder if unused"
    if done.page_sheets:
        yield f"stylesheets for whole pages: {', '.join(done.page_sheets)}\n  -> {_SHEETS}"
    for package in sorted({each.package for each in done.missing}):
        imports = [each for each in done.missing if each.package == package]
        users = ", ".join(each.place for each in imports)
        yield f"missing package {package}: {users}\n  -> {imports[0].remedy}"
    yield from _end(done, dry_run=dry_run)


def _state(each: AdoptedFile) -> str:
    if not each.works:
        return "fails"
    if each.tried.renders is None:
        return "builds"
    return "renders" if each.tried.renders else "builds"


def _action(each: AdoptedFile, verbs: Mapping[str, str]) -> str:
    """What is done with the component's files, where anything is."""
    actions = {merge.action for merge in each.merges.values()}
    if each.conflicts:
        return "in conflict"
    if actions >= {"unchanged", "add"}:
        return verbs["update"]
    return next((verb for action, verb in verbs.items() if action in actions), "")


def _details(each: AdoptedFile) -> Iterator[str]:
    draft, tried = each.draft, each.tried
    if draft.rewritten:
        yield f"rewritten: {', '.join(draft.rewritten)}"
    yield from draft.notes
    for name in each.conflicts:
        yield (
            f"conflict: {name} was changed here and in the source; --theirs {draft.key} takes the "
            f"source's, --ours {draft.key} keeps yours"
        )
        yield from _difference(name, each.merges[name])
    for problem in each.problems:
        yield from str(problem).split("\n")
    if tried.through:
        yield f"imports what fails: {', '.join(tried.through)}"
    if tried.render_problem is not None and each.works:
        yield "does not render alone with sample props:"
        yield from str(tried.render_problem).split("\n")


def _difference(name: str, merge: FileMerge) -> Iterator[str]:
    """A unified diff from the content folder's side of a file to the source's."""
    ours, theirs = (merge.text or "").splitlines(), (merge.theirs or "").splitlines()
    names = f"{name} (here)", f"{name} (source)"
    yield from difflib.unified_diff(ours, theirs, *names, n=2, lineterm="")


def _skipped(done: Adoption) -> Iterator[tuple[str, str]]:
    """The reasons for which files stay out, each with some of them."""
    reasons: dict[str, list[str]] = {}
    for path, why in sorted(done.left_out.items()):
        reasons.setdefault(why, []).append(path)
    for why, paths in reasons.items():
        more = f" and {len(paths) - 5} others" if len(paths) > 5 else ""
        yield why, ", ".join(paths[:5]) + more


def _end(done: Adoption, *, dry_run: bool) -> Iterator[str]:
    builds = sum(each.works for each in done.files)
    shown = [each for each in done.files if each.draft.kind == "component" and each.works]
    renders = sum(each.tried.renders is True for each in shown)
    yield (
        f"{builds} of {len(done.files)} files build; {renders} of the {len(shown)} components "
        "among them render alone"
    )
    changed = sum(
        merge.action in ("add", "update", "remove")
        for each in done.files
        for merge in each.merges.values()
    )
    kept = sum(bool(each.conflicts) for each in done.files)
    if kept:
        yield f"components in conflict, left as they were: {kept}"
    if dry_run:
        yield f"dry run: files to write: {changed}"
    elif changed:
        yield f"files written: {changed}; look at them with git, then: robbieblocks content import"
    else:
        yield "nothing was written: all is as the source has it"


def _json(done: Adoption, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "files": [
            {
                "file": each.draft.file,
                "component": each.draft.key,
                "kind": each.draft.kind,
                "builds": each.works,
                "renders": each.tried.renders,
                "rewritten": each.draft.rewritten,
                "notes": each.draft.notes,
                "imports_failing": each.tried.through,
                "written": {name: merge.action for name, merge in each.merges.items()},
                "problems": [problem.as_json() for problem in each.problems],
                "render_problem": each.tried.render_problem and each.tried.render_problem.as_json(),
            }
            for each in done.files
        ],
        "unreadable": [problem.as_json() for problem in done.folder.unreadable.values()],
        "left_out": done.left_out,
        "left": done.left,
        "page_stylesheets": done.page_sheets,
        "missing_packages": [each._asdict() for each in done.missing],
    }
