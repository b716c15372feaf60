"""Writes robbieblocks/toolchain/fonts/: the common letters of each font of the toolchain.

A part of a font is a modified version to the SIL Open Font License, which may not bear a name that
the licence reserves: a font that reserves one is published as it comes, whole. The others keep
their names, and their licences go along.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont

from robbieblocks import toolchain
from robbieblocks.model import sha256
from robbieblocks.settings import Settings
from robbieblocks.toolchain.common_letters import COMMON_RANGE, FOLDER

_COPYRIGHT: Final = 0
_LICENSE: Final = 13
_SUBSET: Final = (
    *(sys.executable, "-m", "fontTools.subset", "--flavor=woff2", "--layout-features=*"),
    *("--name-IDs=*", "--notdef-outline", "--passthrough-tables"),
)


def packaged(modules: Path) -> list[Path]:
    """The latin file of each face of the @fontsource packages in node_modules, sorted."""
    return sorted(modules.glob("@fontsource-variable/*/files/*-latin-wght-*.woff2"))


def reserves_its_name(file: Path) -> bool:
    """Whether a font's copyright or licence names a reserved font name."""
    with TTFont(file, lazy=True) as font:
        said = [font["name"].getDebugName(number) for number in (_COPYRIGHT, _LICENSE)]
    return any("reserved font name" in text.lower() for text in said if text)


def common_letters(file: Path) -> bytes:
    """A woff2 file with the common letters of a packaged one, and all that may be done with them:
    its axes, its metrics, and the features of its letters.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.woff2"
        subprocess.run(
            [*_SUBSET, file, f"--unicodes={COMMON_RANGE}", f"--output-file={made}"], check=True
        )
        return made.read_bytes()


def main() -> int:
    """Write the folder anew, once all is made."""
    modules = toolchain.ensure(Settings.from_environment(), lambda _text: None).modules
    made: dict[str, bytes] = {}
    made_of: dict[str, str] = {}
    for file in packaged(modules):
        package = file.parents[1].name
        if reserves_its_name(file):
            print(f"{file.name}: whole, since its name is reserved")
            continue
        name = f"{package}/{file.name.replace('-latin-', '-common-')}"
        made[name] = common_letters(file)
        made[f"{package}/LICENSE"] = (file.parents[1] / "LICENSE").read_bytes()
        made_of[name] = sha256(file.read_bytes())
        print(f"{name}: {len(made[name]):,} of {file.stat().st_size:,} bytes")
    made["made-of.json"] = (json.dumps(made_of, indent=2) + "\n").encode()
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, content in made.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
