"""The pinned build tools: esbuild, React, the packages that components may import, and fonts.

`package.json` in this folder is the reviewed list; `package-lock.json` pins every byte of it. Its
`dependencies` are what components may import, its `devDependencies` what builds them. The folder
`typescript` holds a second such list, for checks and editors alone, `axe` a third, for the
workshop, `odiff` a fourth, for pictures, and `pagefind` a fifth, for search.
"""

from robbieblocks.toolchain.common_letters import COMMON_RANGE
from robbieblocks.toolchain.install import (
    ensure,
    ensure_axe,
    ensure_odiff,
    ensure_pagefind,
    ensure_typescript,
    folders_in_use,
    is_fetched,
)
from robbieblocks.toolchain.npm import can_fetch
from robbieblocks.toolchain.toolchain import Toolchain, TypeScript

__all__ = [
    "COMMON_RANGE",
    "Toolchain",
    "TypeScript",
    "can_fetch",
    "ensure",
    "ensure_axe",
    "ensure_odiff",
    "ensure_pagefind",
    "ensure_typescript",
    "folders_in_use",
    "is_fetched",
]
