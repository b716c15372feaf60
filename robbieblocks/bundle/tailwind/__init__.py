"""Stylesheets of Tailwind's utility classes, for the classes that components use."""

from robbieblocks.bundle.tailwind.design_system import DesignSystem
from robbieblocks.bundle.tailwind.stylesheets import UtilityStylesheets, variables_in
from robbieblocks.bundle.tailwind.tailwind import Tailwind

__all__ = ["DesignSystem", "Tailwind", "UtilityStylesheets", "variables_in"]
