"""React and the packages that components may import, compiled once for a toolchain."""

from robbieblocks.bundle.packages.packages import PAGE_NEEDS, Packages
from robbieblocks.bundle.packages.sources import PackagePart

__all__ = ["PAGE_NEEDS", "PackagePart", "Packages"]
