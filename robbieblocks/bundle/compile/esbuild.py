"""Runs esbuild over files in a temporary folder, and reads what it answers.

Inputs have the same relative names on every machine, so equal sources give equal bytes. Nothing
outside the folder decides the output: no tsconfig, no package.json, no environment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from robbieblocks.bundle.compile.service import (
    Answer,
    Answers,
    EsbuildService,
    EsbuildServices,
    Request,
)
from robbieblocks.bundle.processes import KeepAlive
from robbieblocks.errors import ProcessFailed, ToolchainUnavailable
from robbieblocks.process import temporary_folder
from robbieblocks.toolchain import Toolchain

_TIMEOUT_S: Final = 120.0
_OPTIONS: Final = (
    "--bundle",
    "--charset=utf8",
    "--log-level=silent",
    "--log-limit=0",
    "--target=es2022",
    '--define:process.env.NODE_ENV="production"',
    "--tsconfig-raw={}",
    "--jsx=automatic",
)

Sources = Mapping[str, str | bytes]
OptionSets = Iterable[Iterable[str]]
Outputs = Callable[[], "list[Output]"]


class Message(NamedTuple):
    """One error. `line` counts from 1, `column` from 0 in UTF-8 bytes, as esbuild's."""

    text: str
    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The files that one run wrote, by path. Where there are `errors`, there are no files.

    `imports` has (specifier, kind) of what each entry's output imports, by the entry's path.
    """

    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    errors: Sequence[Message] = ()
    imports: Mapping[str, Sequence[tuple[str, str]]] = field(
        default_factory=dict[str, Sequence[tuple[str, str]]]
    )


class Esbuild:
    """The esbuild of one toolchain. `shared` keeps the process that serves small builds."""

    def __init__(self, toolchain: Toolchain, shared: KeepAlive[EsbuildService]) -> None:
        self._toolchain = toolchain
        self._services = EsbuildServices(toolchain, shared)

    def run(self, sources: Sources, entries: Iterable[str], options: Iterable[str]) -> Output:
        """Compile `entries` of `sources` (both by relative path) with one set of options.

        Raises ProcessFailed where esbuild crashed, hung, or failed without naming a file, and
        ToolchainUnavailable where it is gone.
        """
        return self.run_each(sources, entries, [options])[0]

    def run_each(
        self, sources: Sources, entries: Iterable[str], option_sets: OptionSets
    ) -> list[Output]:
        """One output for each set of options over the same files. Raises as `run` does."""
        with self.begun(sources, entries, option_sets) as outputs:
            return outputs()

    @contextmanager
    def begun(
        self, sources: Sources, entries: Iterable[str], option_sets: OptionSets
    ) -> Generator[Outputs]:
        """A function that returns what `run_each` does; many entries are compiled meanwhile."""
        names = list(entries)
        with temporary_folder() as folder:
            _write(folder, sources)
            requests = [
                self._request(folder, number, names, options)
                for number, options in enumerate(option_sets)
            ]
            with self._services.begun(len(names), requests, _TIMEOUT_S) as answers:
                yield lambda: self._outputs(folder, answers)

    def _request(
        self, folder: Path, number: int, entries: Sequence[str], options: Iterable[str]
    ) -> Request:
        outputs = (f"--outdir=o{number}", "--outbase=.", "--metafile")
        return {
            "command": "build",
            "key": number,
            "entries": [["", entry] for entry in entries],
            "flags": [*_OPTIONS, *options, *outputs],
            "write": False,
            "stdinContents": None,
            "stdinResolveDir": None,
            "absWorkingDir": str(folder),
            "nodePaths": [str(self._toolchain.modules)],
            "context": False,
        }

    def _outputs(self, folder: Path, answers: Answers) -> list[Output]:
        try:
            found = answers()
        except ProcessFailed:
            if not self._toolchain.esbuild.exists():
                raise ToolchainUnavailable(
                    f"esbuild is gone from {self._toolchain.esbuild}\n"
                    f"  -> remove {self._toolchain.root}, so that it is fetched again"
                ) from None
            raise
        return [_output(answer, folder / f"o{number}") for number, answer in enumerate(found)]


def _write(folder: Path, sources: Sources) -> None:
    # esbuild looks for a package.json and a tsconfig in the folders above; this ends its search.
    (folder / "package.json").write_bytes(b"{}")
    for parent in {(folder / path).parent for path in sources}:
        parent.mkdir(parents=True, exist_ok=True)
    for path, source in sources.items():
        data = source.encode("utf-8", "replace") if isinstance(source, str) else source
        (folder / path).write_bytes(data)


def _output(answer: Answer, out: Path) -> Output:
    if "error" in answer:
        raise ProcessFailed(f"esbuild failed: {str(answer['error'])[:2000]}")
    errors = [_message(each) for each in answer["errors"]]
    if errors:
        if not any(each.file for each in errors):
            raise ProcessFailed(f"esbuild failed: {errors[0].text[:2000]}")
        return Output(errors=errors)
    files = {
        each["path"].removeprefix(f"{out}/"): each["contents"] for each in answer["outputFiles"]
    }
    return Output(
        files=dict(sorted(files.items())),
        imports={
            each["entryPoint"]: [(i["path"], i["kind"]) for i in each.get("imports", ())]
            for each in json.loads(answer["metafile"])["outputs"].values()
            if "entryPoint" in each
        },
    )


def _message(told: dict[str, Any]) -> Message:
    where = told["location"]
    if where is None:
        return Message(told["text"])
    return Message(told["text"], where["file"], where["line"], where["column"])
