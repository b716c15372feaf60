"""Runs esbuild, and reads what it answers.

Texts of rows are sent with the requests: esbuild opens no file for them. Files are the toolchain's
own and the templates', in a temporary folder. Inputs have the same relative names on every machine,
so equal sources give equal bytes. Nothing else decides the output: no tsconfig, no package.json, no
environment.
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

_FILES_TIMEOUT_S: Final = 120.0
# Ten times what a slow machine takes, so that only a text that never ends meets it.
_TEXTS_TIMEOUT_S: Final = 10.0
_TEXT_S: Final = 0.01
_CHARACTER_S: Final = 0.00001
# A text with very many errors has one cause; describing each takes time.
_MAX_ERRORS: Final = 20
# esbuild takes the last of such comments for the text's own source map: this one holds none.
_NO_SOURCE_MAP: Final = "\n//# sourceMappingURL=data:,{}"
_OPTIONS: Final = (
    "--charset=utf8",
    "--log-level=silent",
    "--log-limit=0",
    "--target=es2022",
    '--define:process.env.NODE_ENV="production"',
    "--tsconfig-raw={}",
    "--jsx=automatic",
)
_TEXT: Final = ("--loader=tsx", "--tree-shaking=true")
# An esbuild that resolves nothing needs no folder.
_ROOT: Final = Path("/")

Sources = Mapping[str, str | bytes]
OptionSets = Sequence[Iterable[str]]
Outputs = Callable[[], "dict[str, list[Output]]"]


class Message(NamedTuple):
    """One error. `line` counts from 1, 0 for none; `column` from 0 in UTF-8 bytes."""

    text: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The files that one run wrote, by path. Where there are `errors`, there are no files.

    A text's files are `stdin.js` and `stdin.js.map`. `imports` has (specifier, kind) of what each
    entry's output imports, by the entry's path.
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
        """Bundle `entries` of `sources` (both by relative path) with one set of options.

        Raises ProcessFailed where esbuild crashed or hung, and ToolchainUnavailable where it is
        gone.
        """
        return self.run_each(sources, entries, [options])[0]

    def run_each(
        self, sources: Sources, entries: Iterable[str], option_sets: OptionSets
    ) -> list[Output]:
        """One output for each set of options over the same files. Raises as `run` does."""
        names = list(entries)
        with temporary_folder() as folder:
            _write(folder, sources)
            requests = [
                self._request(number, ("--bundle", *options), folder, names)
                for number, options in enumerate(option_sets)
            ]
            with self._services.begun(len(names), requests, _FILES_TIMEOUT_S) as answers:
                return self._outputs(folder, answers)

    @contextmanager
    def begun(self, texts: Mapping[str, str], option_sets: OptionSets) -> Generator[Outputs]:
        """Compile TSX texts, by a name for each, without resolving what they import.

        The function returns a text's outputs by its name, one for each set of options. Many texts
        are compiled meanwhile. It raises as `run` does.
        """
        requests = [
            self._request(number, (*_TEXT, f"--sourcefile={name}", *options), text=text)
            for number, (name, text, options) in enumerate(
                (name, text, options) for name, text in texts.items() for options in option_sets
            )
        ]
        characters = sum(map(len, texts.values()))
        timeout_s = _TEXTS_TIMEOUT_S + _TEXT_S * len(texts) + _CHARACTER_S * characters
        with self._services.begun(len(texts), requests, timeout_s) as answers:

            def outputs() -> dict[str, list[Output]]:
                found = iter(self._outputs(_ROOT, answers))
                return {name: [next(found) for _ in option_sets] for name in texts}

            yield outputs

    def _request(
        self,
        number: int,
        options: Iterable[str],
        folder: Path = _ROOT,
        entries: Sequence[str] = (),
        text: str | None = None,
    ) -> Request:
        outputs = (f"--outdir=o{number}", "--outbase=.", "--metafile")
        contents = None if text is None else (text + _NO_SOURCE_MAP).encode("utf-8", "replace")
        return {
            "command": "build",
            "key": number,
            "entries": [["", entry] for entry in entries],
            "flags": [*_OPTIONS, *options, *outputs],
            "write": False,
            "stdinContents": contents,
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
        return Output(errors=[Message(str(answer["error"]))])
    if answer["errors"]:
        return Output(errors=[_message(each) for each in answer["errors"][:_MAX_ERRORS]])
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
    return Message(told["text"], where["line"], where["column"])
