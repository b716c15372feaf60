"""Where TypeScript finds the types of what components may import."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from robbieblocks.toolchain import Toolchain, TypeScript

# `@types/<name>` in TypeScript's own list; these packages bring no types.
_TYPED_APART: Final = ("react", "react-dom")
_VALUES: Final = re.compile(r"^    (?:function|const|class) (\w+)", re.MULTILINE)
# What the compiler needs that no text names.
_IMPLIED: Final = ("react/jsx-runtime",)


def paths(toolchain: Toolchain, typescript: TypeScript) -> dict[str, list[str]]:
    """The compiler's option `paths` for all packages and paths that components may import."""
    found: dict[str, list[str]] = {}
    for name in sorted({*toolchain.packages, *toolchain.paths}):
        if name in _TYPED_APART:
            folder = typescript.modules / "@types" / name
            found[name] = [str(folder)]
            found[f"{name}/*"] = [str(folder / "*")]
        else:
            found[name] = [str(toolchain.modules / name)]
    return found


def importable(toolchain: Toolchain) -> tuple[str, ...]:
    """Every specifier of a package that a program can need."""
    return (*sorted({*toolchain.packages, *toolchain.paths}), *_IMPLIED)


def react_names(typescript: TypeScript) -> frozenset[str]:
    """The values that React exports: components may use them without an import."""
    text = (typescript.modules / "@types" / "react" / "index.d.ts").read_text(encoding="utf-8")
    return frozenset(_VALUES.findall(text))


def options(path_map: Mapping[str, list[str]]) -> dict[str, object]:
    """The compiler's options, for checks and editors alike."""
    return {
        "strict": True,
        "noEmit": True,
        "target": "esnext",
        "module": "esnext",
        "moduleResolution": "bundler",
        "moduleDetection": "force",
        "lib": ["esnext", "dom", "dom.iterable"],
        "jsx": "react-jsx",
        "types": [],
        "skipLibCheck": True,
        "allowJs": True,
        "allowUmdGlobalAccess": True,
        "paths": dict(path_map),
    }


def folders(toolchain: Toolchain, typescript: TypeScript) -> tuple[Path, ...]:
    """The folders in which all of these packages lie."""
    return toolchain.modules, typescript.modules
