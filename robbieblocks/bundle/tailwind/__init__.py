"""Stylesheets of Tailwind's utility classes, for the classes that components use."""

from robbieblocks.bundle.tailwind.design_system import DesignSystem
from robbieblocks.bundle.tailwind.tailwind import Tailwind, variables_in
from robbieblocks.bundle.tailwind.usage import (
    NO_CLASSES,
    NamedClasses,
    classes_of_css,
    names_utilities,
    unknown_utilities,
    with_utilities,
)
from robbieblocks.bundle.tailwind.variables import misspelt_variables

__all__ = [
    "NO_CLASSES",
    "DesignSystem",
    "NamedClasses",
    "Tailwind",
    "classes_of_css",
    "misspelt_variables",
    "names_utilities",
    "unknown_utilities",
    "variables_in",
    "with_utilities",
]
