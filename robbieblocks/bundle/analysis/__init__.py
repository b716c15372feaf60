"""Reads a component's text without running it: its imports, its component, its problems."""

from robbieblocks.bundle.analysis.checks import (
    check_dependencies,
    check_imports,
    unseen_import,
)
from robbieblocks.bundle.analysis.completion import Analysis, ColumnShift, analyse
from robbieblocks.bundle.analysis.component_choice import JSON_REMEDY, is_json
from robbieblocks.bundle.analysis.doubtful_calls import doubtful_script, outer_return
from robbieblocks.bundle.analysis.foreign_packages import in_place_of
from robbieblocks.bundle.analysis.free_names import FreeName, free_names
from robbieblocks.bundle.analysis.nested_elements import element_inside
from robbieblocks.bundle.analysis.syntax import SourcePosition, code_problem
from robbieblocks.bundle.analysis.typed_text import TypedText, typed_text

__all__ = [
    "JSON_REMEDY",
    "Analysis",
    "ColumnShift",
    "FreeName",
    "SourcePosition",
    "TypedText",
    "analyse",
    "check_dependencies",
    "check_imports",
    "code_problem",
    "doubtful_script",
    "element_inside",
    "free_names",
    "in_place_of",
    "is_json",
    "outer_return",
    "typed_text",
    "unseen_import",
]
