"""Reads a folder of source code: its files, and which of them stay out and why."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from robbieblocks.errors import Problem, UsageError
from robbieblocks.file_reading import read_file
from robbieblocks.messages import printable
from robbieblocks.model import JsonObject
from robbieblocks.source_files import ProblemCollector, exact_json

CODE: Final = (".tsx", ".ts", ".jsx", ".js", ".mjs")
_MAX_FILES: Final = 20_000
_MAX_CODE_FILES: Final = 5_000
_FOLDERS: Final = {
    "packages": {"node_modules", "bower_components", "jspm_packages"},
    "made by a build": {"dist", "build", "out", "coverage", "storybook-static"},
    "tests": {"__tests__", "__mocks__", "__fixtures__", "__snapshots__", "tests", "test", "e2e"}
    | {"cypress", "playwright"},
    "stories": {"stories", "__stories__"},
}
_FILES: Final = {
    r"\.(test|spec|cy|e2e)\.\w+$|(^|/)setupTests\.": "a test",
    r"\.(stories|story)\.\w+$": "a story",
    r"\.d\.(ts|mts|cts)$": "only says types to an editor",
    r"\.(config|setup)\.\w+$|(^|/)(middleware|instrumentation)\.[jt]s$|(^|/)route\.[jt]s$": (
        "configures or is a server, which a page has not"
    ),
}
# In the folder itself, or in one of these above it.
_CONFIGS: Final = ("tsconfig.json", "tsconfig.app.json", "tsconfig.base.json", "jsconfig.json")
_LEVELS_UP: Final = 3
# Strings stay; comments and then trailing commas go, which tsconfig.json may have. What is begun is
# taken to its end, however that looks: else each of many beginnings would look for an end anew.
_STRING: Final = r'("(?:[^"\\\n]|\\.)*+"?)'
_COMMENT: Final = re.compile(_STRING + r"|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA: Final = re.compile(_STRING + r"|,(?=\s*+[}\]])", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFolder:
    """A folder's files by their paths below it, with slashes.

    `code` holds the texts of those that may become components; `files` are all that are there.
    `skipped` says why a file or a folder (its name ends with a slash) stays out. `aliases` are
    patterns such as `@/*`, each with the paths that it may stand for, from the folder.
    """

    root: Path
    code: dict[str, str] = field(default_factory=dict[str, str])
    files: frozenset[str] = frozenset()
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    unreadable: dict[str, Problem] = field(default_factory=dict[str, Problem])

    def name_of(self, path: str) -> str:
        """A file as messages name it: with the folder's own name before it."""
        return f"{self.root.name}/{path}"

    def text(self, path: str) -> str | Problem:
        """The text of a file without a byte order mark, or why it has none."""
        collector = ProblemCollector(self.root.parent, (self.root,))
        text = collector.read_text(self.root / path)
        return collector.problems[0] if text is None else text.removeprefix("\ufeff")

    def content(self, path: str) -> bytes | None:
        """The bytes of a file, or None where it can't be read."""
        try:
            return read_file(self.root / path, self.root)
        except OSError:
            return None


def read_folder(folder: Path) -> SourceFolder:
    """The files of a folder; what can't be read is in `unreadable`.

    Raises UsageError for what is no folder, and for one with too many files.
    """
    root = Path(os.path.realpath(folder))
    if not root.is_dir():
        raise UsageError(f"{printable(str(folder))} is no folder: name the one with the React code")
    skipped: dict[str, str] = {}
    unreadable: dict[str, Problem] = {}
    files: list[str] = []
    for path in _walk(root, skipped):
        files.append(path)
        if len(files) > _MAX_FILES:
            raise _too_many(folder, f"{_MAX_FILES:,} files")
    source = SourceFolder(
        root=root,
        files=frozenset(files),
        skipped=skipped,
        aliases=_aliases(root),
        unreadable=unreadable,
    )
    for path in sorted(files):
        if not path.endswith(CODE):
            continue
        why = next((why for it, why in _FILES.items() if re.search(it, path)), None)
        if why is not None:
            skipped[path] = why
            continue
        if len(source.code) == _MAX_CODE_FILES:
            raise _too_many(folder, f"{_MAX_CODE_FILES:,} files of code")
        text = source.text(path)
        if isinstance(text, Problem):
            unreadable[path] = text
        else:
            source.code[path] = text
    if not source.code and not unreadable:
        raise UsageError(
            f"there is no code in {printable(str(folder))}: no {', '.join(CODE)} but tests and "
            "settings\n  -> name the folder with the components"
        )
    return source


def _too_many(folder: Path, what: str) -> UsageError:
    return UsageError(
        f"{printable(str(folder))} has more than {what}\n  -> name the folder with the components"
    )


def _walk(root: Path, skipped: dict[str, str]) -> Iterator[str]:
    """The files below a folder; symlinks to folders are not followed."""
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
        except OSError as error:
            skipped[below] = f"can't be read: {error.strerror}"
            continue
        for entry in entries:
            path = below + entry.name
            if entry.name.startswith("."):
                continue
            if not path.isprintable():
                skipped[path] = "its name can't be printed"
            elif entry.is_dir(follow_symlinks=False):
                why = next((why for why, names in _FOLDERS.items() if entry.name in names), None)
                if why is None:
                    pending.append(f"{path}/")
                else:
                    skipped[f"{path}/"] = why
            elif entry.is_symlink() and (root / path).is_dir():
                skipped[f"{path}/"] = "a symlink to a folder"
            else:
                yield path


def _aliases(root: Path) -> dict[str, tuple[str, ...]]:
    """The `paths` and `baseUrl` of the nearest tsconfig.json; without any, `@/` and `~/`."""
    found: dict[str, tuple[str, ...]] = {}
    for folder in (root, *root.parents[:_LEVELS_UP]):
        configs = [folder / name for name in _CONFIGS if os.path.lexists(folder / name)]
        for options in map(_compiler_options, configs):
            base, paths = options.get("baseUrl"), options.get("paths")
            start = folder / base if isinstance(base, str) else folder
            for pattern, places in paths.items() if isinstance(paths, dict) else ():
                if isinstance(places, list):
                    there = tuple(_below(root, start / each) for each in map(str, places))
                    found.setdefault(pattern, there)
            if isinstance(base, str):
                found.setdefault("*", (_below(root, start / "*"),))
        if configs:
            break
    for prefix in ("@/", "~/"):
        found.setdefault(f"{prefix}*", ("*", "src/*"))
    return found


def _below(root: Path, path: Path) -> str:
    return Path(os.path.relpath(os.path.normpath(path), root)).as_posix()


def _compiler_options(file: Path) -> JsonObject:
    try:
        text = read_file(file, file.parent).decode("utf-8", "replace")
        for left_out in (_COMMENT, _LAST_COMMA):
            text = left_out.sub(lambda found: found[1] or "", text)
        config = exact_json.loads(text)
    except (OSError, ValueError, RecursionError):
        config = None  # Its aliases are then unknown, and each import that uses one is named.
    options = config.get("compilerOptions") if isinstance(config, dict) else None
    return options if isinstance(options, dict) else {}
