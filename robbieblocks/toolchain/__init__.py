"""The pinned build tools: esbuild, React, the packages that components may import, and fonts.

`package.json` in this folder is the reviewed list; `package-lock.json` pins every byte of it. Its
`dependencies` are what components may import, its `devDependencies` what builds them.
"""

from robbieblocks.toolchain.install import ensure, is_fetched
from robbieblocks.toolchain.toolchain import Toolchain

__all__ = ["Toolchain", "ensure", "is_fetched"]
