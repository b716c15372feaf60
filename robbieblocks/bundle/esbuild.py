"""Runs esbuild over files in a folder of its own, and reads what it says.

Inputs have the same relative names on every machine, so equal sources give equal bytes. Nothing
outside the folder decides the output: no tsconfig, no package.json, no environment.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from robbieblocks.bundle import service
from robbieblocks.bundle.service import Answer, Request
from robbieblocks.errors import ProcessFailed, ToolchainUnavailable
from robbieblocks.toolchain import Toolchain

TARGET = "es2022"
_TIMEOUT_S = 120.0

COMMON = (
    "--bundle",
    "--charset=utf8",
    "--log-level=silent",
    "--log-limit=0",
    f"--target={TARGET}",
    '--define:process.env.NODE_ENV="production"',
    "--tsconfig-raw={}",
    "--jsx=automatic",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One error or warning. `line` counts from 1, `column` from 0 in UTF-8 bytes, as esbuild's."""

    severity: str
    text: str
    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one run wrote, by path, and said. Without `ok` nothing was written.

    `imports` has (specifier, kind) of what each entry's output imports, by the entry's path.
    """

    ok: bool
    files: Mapping[str, bytes] = field(default_factory=dict)
    messages: Sequence[Message] = ()
    imports: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


def run(
    toolchain: Toolchain,
    sources: Mapping[str, str | bytes],
    entries: Iterable[str],
    options: Iterable[str],
) -> Output:
    """Compiles `entries` of `sources` (both by relative path) with one set of options.

    Raises ProcessFailed where esbuild crashed, hung, or failed without naming a file.
    """
    return run_each(toolchain, sources, entries, [options])[0]


def run_each(
    toolchain: Toolchain,
    sources: Mapping[str, str | bytes],
    entries: Iterable[str],
    option_sets: Iterable[Iterable[str]],
) -> list[Output]:
    """The same with several sets of options at once, over the same files."""
    with begun(toolchain, sources, entries, option_sets) as outputs:
        return outputs()


@contextmanager
def begun(
    toolchain: Toolchain,
    sources: Mapping[str, str | bytes],
    entries: Iterable[str],
    option_sets: Iterable[Iterable[str]],
) -> Iterator[Callable[[], list[Output]]]:
    """Lends what gives `run_each`'s outputs; where entries are many, they are compiled already."""
    names = list(entries)
    with tempfile.TemporaryDirectory(prefix="robbieblocks-") as name:
        folder = Path(name)
        _write(folder, sources)
        requests = [
            _request(toolchain, folder, number, names, [*COMMON, *options])
            for number, options in enumerate(option_sets)
        ]
        with service.begun(toolchain, len(names), requests, _TIMEOUT_S) as answers:
            yield lambda: _outputs(toolchain, folder, answers)


def _outputs(
    toolchain: Toolchain, folder: Path, answers: Callable[[], list[Answer]]
) -> list[Output]:
    try:
        found = answers()
    except ProcessFailed:
        if not toolchain.esbuild.exists():
            raise ToolchainUnavailable(
                f"esbuild is gone from {toolchain.esbuild}\n"
                f"  -> remove {toolchain.root}, so that it is fetched again"
            ) from None
        raise
    return [_output(answer, folder / f"o{number}") for number, answer in enumerate(found)]


def _request(
    toolchain: Toolchain, folder: Path, number: int, entries: Sequence[str], flags: Sequence[str]
) -> Request:
    return {
        "command": "build",
        "key": number,
        "entries": [["", entry] for entry in entries],
        "flags": [*flags, f"--outdir=o{number}", "--outbase=.", "--metafile"],
        "write": False,
        "stdinContents": None,
        "stdinResolveDir": None,
        "absWorkingDir": str(folder),
        "nodePaths": [str(toolchain.modules)],
        "context": False,
    }


def _write(folder: Path, sources: Mapping[str, str | bytes]) -> None:
    # Ends esbuild's search for a package.json or a tsconfig above.
    (folder / "package.json").write_bytes(b"{}")
    for parent in {(folder / path).parent for path in sources}:
        parent.mkdir(parents=True, exist_ok=True)
    for path, source in sources.items():
        data = source.encode("utf-8", "replace") if isinstance(source, str) else source
        (folder / path).write_bytes(data)


def _output(answer: Answer, out: Path) -> Output:
    if "error" in answer:
        raise ProcessFailed(f"esbuild failed: {str(answer['error'])[:2000]}")
    messages = (
        *(_message("error", each) for each in answer["errors"]),
        *(_message("warning", each) for each in answer["warnings"]),
    )
    if answer["errors"]:
        if not any(each.severity == "error" and each.file for each in messages):
            raise ProcessFailed(f"esbuild failed: {messages[0].text[:2000]}")
        return Output(ok=False, messages=messages)
    written = {each["path"]: each["contents"] for each in answer["outputFiles"]}
    outputs = json.loads(answer["metafile"])["outputs"]
    return Output(
        ok=True,
        files={path.removeprefix(f"{out}/"): written[path] for path in sorted(written)},
        messages=messages,
        imports={
            each["entryPoint"]: tuple((i["path"], i["kind"]) for i in each["imports"])
            for each in outputs.values()
            if "entryPoint" in each
        },
    )


def _message(severity: str, said: Mapping[str, Any]) -> Message:
    where = said["location"]
    if where is None:
        return Message(severity=severity, text=said["text"])
    return Message(
        severity=severity,
        text=said["text"],
        file=where["file"],
        line=where["line"],
        column=where["column"],
    )
