"""The program that TypeScript checks: a folder with every component's text, and what it says.

The folder has names of our own making. The compiler opens the files that are listed, and no other
that a text names (`noResolve`): neither an import, nor a reference comment, leads out of the list.

They lie in one whose name no text can know: lines that begin with it are the compiler's own,
whatever a text has it quote.

    c/<n>.tsx    a component's text, completed to a module
    p/<n>.d.ts   the type `Props`, of its props schema
    f/<n>.ts     whether the component takes such props
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from robbieblocks import process
from robbieblocks.bundle import TypedText
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import ComponentRow, component_specifier
from robbieblocks.toolchain import Toolchain, TypeScript
from robbieblocks.typescript.packages import folders, importable, options, paths
from robbieblocks.typescript.props import props_module

_LISTING_TIMEOUT_S: Final = 60.0
# The garbage collector of Go works harder before the kernel refuses memory.
_GO_MEMORY: Final = f"{process.ROWS_MEMORY_BYTES * 3 // 4}B"
# Of our files, and of those of packages, whose names are other paths.
_MESSAGE: Final = (
    r"(?m)^(?:{mark}/(\w)/(\d+)\.\S+?\((\d+),(\d+)\): error TS(\d+): |[/.].*?: error TS\d+: )"
)
_MODULE_PATH: Final = r'import\("[^"]*/{mark}/([cp])/(\d+)"\)'
_MAX_OUTPUT: Final = 4_000_000
_SHORT: Final = "see what this machine is short of, mostly memory, and check again"
_FITS: Final = """\
import type {{ ComponentProps }} from "react";
import type Component from "{specifier}";
import type {{ Props }} from "{specifier}/props";
declare const given: Props;
type Taken = ComponentProps<typeof Component>;
export const taken: Taken = given;
"""
_FITS_LINE: Final = _FITS.count("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedText:
    """A component and its text for the checker."""

    row: ComponentRow
    text: TypedText


class Message(NamedTuple):
    """What the compiler says of a file: `kind` is its folder, `number` that of the component.

    `line` and `column` count from 1 in the file; the column counts UTF-16 units.
    """

    kind: str
    number: int
    line: int
    column: int
    code: int
    text: str


class Program:
    """Components by number, in a folder. Raises ProcessFailed where the compiler can't run."""

    def __init__(
        self,
        folder: Path,
        components: Sequence[CheckedText],
        keys: Collection[str],
        toolchain: Toolchain,
        typescript: TypeScript,
    ) -> None:
        mark = secrets.token_hex(8)
        self._message = re.compile(_MESSAGE.format(mark=mark))
        self._module_path = re.compile(_MODULE_PATH.format(mark=mark))
        self._folder = folder / mark
        self._folder.mkdir()
        self._components = components
        self._typescript = typescript
        self._packages = folders(toolchain, typescript)
        self._paths = paths(toolchain, typescript)
        # A component that is not checked can be imported all the same.
        self._unchecked = sorted({*keys} - {each.row.key for each in components})
        self._files = self._package_files(importable(toolchain))
        for number, each in enumerate(components):
            self._write(f"c/{number}.tsx", each.text.source)
            self._write(f"p/{number}.d.ts", props_module(each.row.props_schema))
            if _has_own_props(each):
                self._write(
                    f"f/{number}.ts", _FITS.format(specifier=component_specifier(each.row.key))
                )

    def check(self, group: Collection[int], timeout: float) -> list[Message]:
        """What the compiler says of some components; the others count as `any`.

        Raises ProcessFailed where it crashes over them, takes longer than `timeout` seconds, or has
        so much to say of one that the messages of the others don't come; Killed where others ended
        it twice.
        """
        path_map = dict(self._paths)
        unchecked = list(self._unchecked)
        files = list(self._files)
        for number, each in enumerate(self._components):
            specifier = component_specifier(each.row.key)
            path_map[f"{specifier}/props"] = [f"./p/{number}.d.ts"]
            files.append(f"p/{number}.d.ts")
            if number not in group:
                unchecked.append(each.row.key)
                continue
            path_map[specifier] = [f"./c/{number}.tsx"]
            files += [f"c/{number}.tsx", *([f"f/{number}.ts"] if _has_own_props(each) else ())]
        stubs = (f"declare module {json.dumps(component_specifier(key))};\n" for key in unchecked)
        self._write("unchecked.d.ts", "".join(stubs))
        settings = {**options(path_map), "noResolve": True}
        self._write_json({"compilerOptions": settings, "files": [*files, "unchecked.d.ts"]})
        output = self._run(timeout)
        if len(output) > _MAX_OUTPUT and len(group) > 1:
            raise ProcessFailed("tsc says too much")
        return self._messages(output[:_MAX_OUTPUT])

    def _package_files(self, specifiers: Sequence[str]) -> list[str]:
        """The declaration files of all packages, without those of the language."""
        self._write("packages.ts", "".join(f"import {json.dumps(each)};\n" for each in specifiers))
        self._write_json({"compilerOptions": options(self._paths), "files": ["packages.ts"]})
        listed = self._run(_LISTING_TIMEOUT_S, "--listFilesOnly").split("\n")
        inside = tuple(f"{os.path.realpath(folder)}/" for folder in self._packages)
        language = f"{os.path.realpath(self._typescript.program.parent)}/"
        return [
            each for each in listed if each.startswith(inside) and not each.startswith(language)
        ]

    def _run(self, timeout: float, *more: str) -> str:
        """What the compiler prints: of a second one where others ended the first."""
        try:
            return self._output(timeout, *more)
        except process.Killed:
            return self._output(timeout, *more)

    def _output(self, timeout: float, *more: str) -> str:
        done = process.run(
            [self._typescript.program, "--project", self._folder.name, "--pretty", "false", *more],
            cwd=self._folder.parent,
            env={"PATH": os.defpath, "GOMEMLIMIT": _GO_MEMORY},
            timeout=timeout,
            memory_bytes=process.ROWS_MEMORY_BYTES,
        )
        if process.was_killed(done.returncode):
            why = process.exit_reason(done.returncode)
            raise process.Killed(f"tsc {why}\n  -> {_SHORT}")
        if done.returncode not in (0, 1, 2) or done.stderr.strip():
            said = done.stderr.decode(errors="replace").strip().partition("\n")[0][:200]
            raise ProcessFailed(f"tsc ended with status {done.returncode}: {said}")
        return done.stdout.decode(errors="replace")

    def _messages(self, output: str) -> list[Message]:
        found: list[Message] = []
        starts = [*self._message.finditer(output)]
        if output.strip() and not (starts and starts[0].start() == 0):
            said = output.strip().partition("\n")[0][:200]
            raise ProcessFailed(f"tsc refuses its settings: {said}")
        ends = [*(start.start() for start in starts[1:]), len(output)]
        for start, end in zip(starts, ends, strict=False):
            kind, number, line, column, code = start.groups()
            if kind is not None and (kind != "f" or int(line) == _FITS_LINE):
                text = self._readable(output[start.end() : end])
                found.append(Message(kind, int(number), int(line), int(column), int(code), text))
        return found

    def _readable(self, text: str) -> str:
        """A message without the names of our own folders."""

        def named(found: re.Match[str]) -> str:
            key = self._components[int(found[2])].row.key
            return f'import("{component_specifier(key)}{"/props" if found[1] == "p" else ""}")'

        text = self._module_path.sub(named, text)
        for folder in self._packages:
            text = text.replace(f"{os.path.realpath(folder)}/", "")
        return text.strip()

    def _write(self, name: str, text: str) -> None:
        file = self._folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="replace", newline="")

    def _write_json(self, value: Mapping[str, object]) -> None:
        self._write("tsconfig.json", json.dumps(value))


def _has_own_props(each: CheckedText) -> bool:
    """Whether a component may say what props it takes, and its schema what it is given."""
    return bool(each.row.props_schema) and each.text.props is not None and each.text.has_types
