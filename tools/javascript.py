"""Formats, lints and type-checks the project's own JavaScript: `python -m tools.javascript`.

Biome formats and lints, TypeScript checks the types that stand in comments (JSDoc). `tools/js`
holds their settings and pins Biome's version; TypeScript is the one that checks components.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from robbieblocks.errors import ToolchainUnavailable
from robbieblocks.settings import Settings
from robbieblocks.toolchain import ensure_typescript, npm
from tools import npm_packages

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "tools" / "js"


def main() -> int:
    """Check all files, or with `--write` format them; 1 where something is wrong.

    Where the programs can't be fetched the check is skipped; it fails where CI=true.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="format, and fix what can be fixed")
    write = parser.parse_args().write
    try:
        modules = npm_packages.ensure(SETTINGS, "javascript") / "node_modules"
        tsc = ensure_typescript(Settings.from_environment(), print).program
    except ToolchainUnavailable as error:
        print(f"JavaScript is not checked: {error}", file=sys.stderr)
        return int(os.environ.get("CI") == "true")
    results = [
        subprocess.run(command, cwd=ROOT, check=False) for command in commands(modules, tsc, write)
    ]
    return int(any(result.returncode for result in results))


def commands(modules: Path, tsc: Path, write: bool) -> list[list[str]]:
    """The commands that check the JavaScript, or format it."""
    biome = [npm.node_program(), str(modules / "@biomejs" / "biome" / "bin" / "biome"), "check"]
    biome += ["--write"] if write else []
    biome += ["--log-level=warn", f"--config-path={SETTINGS}", "robbieblocks"]
    if write:
        return [biome]
    settings = sorted(SETTINGS.glob("tsconfig*.json"))
    return [biome, *([str(tsc), "--project", str(path)] for path in settings)]


if __name__ == "__main__":
    sys.exit(main())
