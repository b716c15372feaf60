"""Adopts a folder of React code: drafts, merges, tries and writes its components."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

from robbieblocks import content
from robbieblocks.adoption.drafting import Packages, drafts
from robbieblocks.adoption.drafts import Draft
from robbieblocks.adoption.record import (
    Adopted,
    FileMerge,
    Side,
    is_unfinished,
    merged_files,
    read_record,
    write_record,
)
from robbieblocks.adoption.results import (
    AdoptedFile,
    Adoption,
    all_problems,
    left_out,
    missing_imports,
)
from robbieblocks.adoption.sources.modules import SourceModules
from robbieblocks.adoption.sources.reading import SourceFolder, read_folder
from robbieblocks.adoption.trying import Trial, Tried, tried
from robbieblocks.bundle import in_place_of
from robbieblocks.content import CODE_FILES, Component, Content, FolderFiles, component_files
from robbieblocks.errors import ContentError, SiteUnavailable, UsageError
from robbieblocks.messages import did_you_mean, printable
from robbieblocks.model import ComponentRow, TokenRow
from robbieblocks.pipeline import BuildContext

# A row of the project is only imported here, and stored nowhere.
_NO_ID: Final = UUID(int=0)
ALL: Final = "all"
_FILES: Final = (*CODE_FILES, "component.css", "component.toml", "props.schema.json")
_TOOLCHAIN: Final = (
    "add it to the toolchain's package.json, or write what is used of it (CONTRIBUTING.md, "
    '"Add a package that components may import")'
)


def adopt(
    source: Path,
    target: Path,
    context: BuildContext,
    *,
    theirs: Collection[str] = (),
    ours: Collection[str] = (),
    dry_run: bool = False,
) -> Adoption:
    """Make components of the code in `source`, in the content folder `target`.

    Where a file was changed on both sides, the source wins for the keys in `theirs`, the content
    folder for those in `ours`; `all` stands for every key. Raises UsageError for what is no folder
    of code and for unknown keys, ContentError where the content folder has a mistake,
    SiteUnavailable where it can't be written, and Transient.
    """
    folder = read_folder(source)
    content_folder = Path(os.path.realpath(target))
    if content_folder.is_relative_to(folder.root) or folder.root.is_relative_to(content_folder):
        raise UsageError(
            f"{printable(str(source))} and the content folder lie one in the other\n"
            "  -> name the folder of the app's own code"
        )
    there, mistakes = content.load_sound(target) if target.is_dir() else (Content(), ())
    record = read_record(target)
    sources = {
        path: Path(os.path.relpath(folder.root / path, target.parent)).as_posix()
        for path in folder.files
    }
    modules = SourceModules(folder)
    made = drafts(modules, _packages(context), *_keys(record, sources, there, target))
    _check_keys({*theirs, *ours}, made.by_key)
    files = FolderFiles(target, target)
    try:
        merges = {
            key: _merges(draft, target, files, record.get(key), _side(key, theirs, ours))
            for key, draft in made.by_key.items()
        }
    except SiteUnavailable:
        if mistakes:
            raise ContentError(mistakes) from None
        raise
    if wrong := [each for each in mistakes if not is_unfinished(each, merges, target)]:
        raise ContentError(wrong)
    results = _tried(made.by_key, merges, folder, there, context)
    found = tuple(
        AdoptedFile(
            draft=draft,
            merges=merges[key],
            tried=results[key],
            problems=all_problems(draft, results[key]),
        )
        for key, draft in made.by_key.items()
        if key in results
    )
    if not dry_run and found:
        _write(found, record, sources, target, files)
    return Adoption(
        folder=folder,
        files=found,
        left=_left(record, made.by_key, sources, target),
        page_sheets=tuple(made.page_sheets),
        left_out=left_out(modules, made, found),
        missing=tuple(each for file in found for each in missing_imports(file, folder)),
    )


def _check_keys(named: set[str], keys: Collection[str]) -> None:
    for key in sorted(named - {ALL, *keys}):
        known = did_you_mean(key, keys)
        raise UsageError(f"no component {printable(key)} is adopted from there: {known}")


def _side(key: str, theirs: Collection[str], ours: Collection[str]) -> Side:
    """Which side wins a component's conflicts; its own key counts more than `all`."""
    for wanted in (key, ALL):
        if wanted in theirs:
            return "theirs"
        if wanted in ours:
            return "ours"
    return None


def _packages(context: BuildContext) -> Packages:
    toolchain, bundler = context.toolchain, context.bundler

    def remedy(name: str) -> str:
        if toolchain.may_import(name) or name.startswith(("react/", "@robbieblocks/", "node:")):
            return ""
        return in_place_of(name) or _TOOLCHAIN

    return Packages(
        remedy=remedy,
        exporting=lambda name: bundler.exporting(name, toolchain),
        react=bundler.names("react", toolchain),
    )


def _keys(
    record: Mapping[str, Adopted], sources: Mapping[str, str], there: Content, target: Path
) -> tuple[dict[str, str], set[str]]:
    """The keys that files have from earlier times, and those that are taken.

    The key of a file that is gone is free: it may have been moved.
    """
    paths = {source: path for path, source in sources.items()}
    known = {paths[each.source]: key for key, each in record.items() if each.source in paths}
    gone = {key for key, each in record.items() if not os.path.lexists(target.parent / each.source)}
    components = {row.key for row in there.components} | {
        row.file.parent.name for row in there.components
    }
    return known, (components | record.keys()) - gone - set(known.values())


def _merges(
    draft: Draft, target: Path, files: FolderFiles, earlier: Adopted | None, side: Side
) -> dict[str, FileMerge]:
    """What is done with each file of a component. Raises SiteUnavailable."""
    row = Component(
        key=draft.key,
        name=draft.name[:255],
        type=draft.kind,
        code=draft.code,
        css=draft.css or None,
        props_schema=draft.props or {},
    )
    new = component_files(row, draft.key, draft.code_file)
    folder = target / "components" / draft.key
    texts: dict[str, tuple[str | None, str | None]] = {}
    for name in _FILES:
        try:
            held = files.text(folder / name) if os.path.lexists(folder / name) else None
        except OSError as error:
            raise _unwritable(error, folder / name) from error
        texts[name] = new.get(name), held
    return merged_files(texts, earlier.files if earlier is not None else {}, side)


def _tried(
    by_key: Mapping[str, Draft],
    merges: Mapping[str, Mapping[str, FileMerge]],
    folder: SourceFolder,
    there: Content,
    context: BuildContext,
) -> dict[str, Tried]:
    """How each component does as it will lie there; not those that a person took away."""
    trials = [
        trial
        for key, draft in by_key.items()
        if (trial := _trial(draft, merges[key], folder)) is not None
    ]
    others = [
        ComponentRow(
            id=_NO_ID, key=row.key, name=row.name, type=row.type, code=row.code, css=row.css or ""
        )
        for row in there.components
        if row.key not in by_key
    ]
    tokens = [
        TokenRow(key=row.key, category=row.category, default=row.value) for row in there.tokens
    ]
    return tried(trials, others, tokens, context)


def _trial(draft: Draft, merges: Mapping[str, FileMerge], folder: SourceFolder) -> Trial | None:
    name = next((each for each in CODE_FILES if _text(merges, each) is not None), None)
    code = _text(merges, name) if name is not None else None
    if name is None or code is None:
        return None
    css = _text(merges, "component.css") or ""
    place = f"components/{draft.key}"
    sheet = draft.css_from[0] if len(draft.css_from) == 1 and css == draft.css else None
    adopted = code == draft.code
    return Trial(
        draft=draft,
        code=code,
        css=css,
        shown=folder.code.get(draft.file, code) if adopted else code,
        names={
            "react_code": folder.name_of(draft.file) if adopted else f"{place}/{name}",
            "css_styles": folder.name_of(sheet) if sheet else f"{place}/component.css",
        },
    )


def _text(merges: Mapping[str, FileMerge], name: str) -> str | None:
    merge = merges.get(name)
    return None if merge is None else merge.text


def _write(
    found: tuple[AdoptedFile, ...],
    record: dict[str, Adopted],
    sources: Mapping[str, str],
    target: Path,
    files: FolderFiles,
) -> None:
    try:
        # First which file became what: a run that is ended in between would leave components that
        # the next one takes for others'.
        for each in found:
            draft, earlier = each.draft, record.get(each.draft.key)
            kept = earlier.files if earlier else {}
            record[draft.key] = Adopted(source=sources[draft.file], files=kept)
        write_record(files, record)
        for each in found:
            draft = each.draft
            for name, merge in each.merges.items():
                file = target / "components" / draft.key / name
                if merge.action in ("add", "update") and merge.text is not None:
                    files.put(file, merge.text)
                elif merge.action == "remove":
                    files.remove(file)
            hashes = {name: merge.base for name, merge in each.merges.items() if merge.base}
            record[draft.key] = Adopted(source=sources[draft.file], files=hashes)
        write_record(files, record)
    except OSError as error:
        raise _unwritable(error, target) from error


def _unwritable(error: OSError, path: Path) -> SiteUnavailable:
    what = f"{error.filename or path}: {error.strerror or error}"
    return SiteUnavailable(f"can't write the components: {what}")


def _left(
    record: Mapping[str, Adopted],
    by_key: Mapping[str, Draft],
    sources: Mapping[str, str],
    target: Path,
) -> dict[str, str]:
    """Adopted components whose file is not adopted any more, with that file."""
    here = set(sources.values())
    return {
        key: each.source
        for key, each in record.items()
        if key not in by_key
        and (each.source in here or not os.path.lexists(target.parent / each.source))
        and (target / "components" / key).is_dir()
    }
