"""Reads a component's text without running it: its imports, its component, its problems."""

from robbieblocks.bundle.analysis.checks import check_dependencies, check_imports, unseen_import
from robbieblocks.bundle.analysis.completion import Analysis, ColumnShift, analyse
from robbieblocks.bundle.analysis.syntax import SourcePosition, code_problem

__all__ = [
    "Analysis",
    "ColumnShift",
    "SourcePosition",
    "analyse",
    "check_dependencies",
    "check_imports",
    "code_problem",
    "unseen_import",
]
