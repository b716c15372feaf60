"""Stylesheets of Tailwind's utility classes, for the classes that components use."""

from robbieblocks.bundle.tailwind.design_system import DesignSystem
from robbieblocks.bundle.tailwind.tailwind import Tailwind, variables_in

__all__ = ["DesignSystem", "Tailwind", "variables_in"]
