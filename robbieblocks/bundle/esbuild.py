"""Runs esbuild over files in a folder of its own, and reads what it says.

Inputs have the same relative names on every machine, so equal sources give equal bytes. Nothing
outside the folder decides the output: no tsconfig, no package.json, no environment.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from robbieblocks import process
from robbieblocks.errors import ProcessFailed, ToolchainUnavailable
from robbieblocks.toolchain import Toolchain

TARGET = "es2022"
_TIMEOUT_S = 120.0
# A process that soon ends need not collect its garbage: half the CPU time of 200 components. Past
# the limit Go's runtime collects after all.
_UNCOLLECTED = {"GOGC": "off", "GOMEMLIMIT": "512MiB"}

COMMON = (
    "--bundle",
    "--charset=utf8",
    "--log-level=warning",
    "--log-limit=0",
    "--color=false",
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
    """The same with several sets of options at once, a process each over the same files."""
    sets = [tuple(options) for options in option_sets]
    names = list(entries)
    with tempfile.TemporaryDirectory(prefix="robbieblocks-") as name:
        folder = Path(name)
        _write(folder, sources)
        if len(sets) == 1:
            return [_process(toolchain, folder, names, sets[0], "o0")]
        with ThreadPoolExecutor(len(sets)) as pool:
            running = [
                pool.submit(_process, toolchain, folder, names, options, f"o{number}")
                for number, options in enumerate(sets)
            ]
            return [each.result() for each in running]


def _write(folder: Path, sources: Mapping[str, str | bytes]) -> None:
    # Ends esbuild's search for a package.json or a tsconfig above.
    (folder / "package.json").write_bytes(b"{}")
    for parent in {(folder / path).parent for path in sources}:
        parent.mkdir(parents=True, exist_ok=True)
    for path, source in sources.items():
        data = source.encode("utf-8", "replace") if isinstance(source, str) else source
        (folder / path).write_bytes(data)


def _process(
    toolchain: Toolchain, folder: Path, entries: Sequence[str], options: Sequence[str], out: str
) -> Output:
    meta = folder / f"{out}.json"
    argv: list[str | Path] = [toolchain.esbuild, *entries, *COMMON, *options]
    argv += [f"--outdir={out}", "--outbase=.", f"--metafile={meta.name}"]
    environment = {"NODE_PATH": str(toolchain.modules), "PATH": "/usr/bin:/bin", **_UNCOLLECTED}
    try:
        done = process.run(argv, cwd=folder, env=environment, timeout=_TIMEOUT_S)
    except ProcessFailed:
        if not toolchain.esbuild.exists():
            raise ToolchainUnavailable(
                f"esbuild is gone from {toolchain.esbuild}\n"
                f"  -> remove {toolchain.root}, so that it is fetched again"
            ) from None
        raise
    said = done.stderr.decode("utf-8", "replace")
    messages = tuple(_messages(said))
    if done.returncode != 0:
        if not any(each.severity == "error" and each.file for each in messages):
            raise ProcessFailed(f"esbuild failed (exit code {done.returncode}): {said[:2000]}")
        return Output(ok=False, messages=messages)
    outputs = json.loads(meta.read_bytes())["outputs"]
    return Output(
        ok=True,
        files=dict(_written(folder / out)),
        messages=messages,
        imports={
            each["entryPoint"]: tuple((i["path"], i["kind"]) for i in each["imports"])
            for each in outputs.values()
            if "entryPoint" in each
        },
    )


def _written(out: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(out.rglob("*")):
        if file.is_file():
            yield file.relative_to(out).as_posix(), file.read_bytes()


_HEAD = re.compile(r"^(?:✘ \[ERROR\]|▲ \[WARNING\]) ", re.MULTILINE)
_PLACE = re.compile(r"^    (\S+):(\d+):(\d+):$", re.MULTILINE)
_WARNING_ID = re.compile(r" \[[a-z-]+\]$")


def _messages(said: str) -> Iterator[Message]:
    """Reads esbuild's log: a head line, and where it knows it, the place. Excerpts are indented."""
    heads = list(_HEAD.finditer(said))
    ends = [*(head.start() for head in heads[1:]), len(said)]
    for head, end in zip(heads, ends, strict=False):
        body = said[head.end() : end]
        severity = "error" if "ERROR" in head.group() else "warning"
        text = _WARNING_ID.sub("", body.split("\n", 1)[0].strip())
        place = _PLACE.search(body)
        if place is None:
            yield Message(severity=severity, text=text)
        else:
            yield Message(
                severity=severity,
                text=text,
                file=place[1],
                line=int(place[2]),
                column=int(place[3]),
            )
