"""Compiles TypeScript, JavaScript and CSS with esbuild."""

from robbieblocks.bundle.compile.components import (
    CompiledComponent,
    CompileUnit,
    browser_maps,
    component_compilation,
)
from robbieblocks.bundle.compile.esbuild import Esbuild, Output
from robbieblocks.bundle.compile.remedies import FENCED, remedy_of_text
from robbieblocks.bundle.compile.service import EsbuildService

__all__ = [
    "FENCED",
    "CompileUnit",
    "CompiledComponent",
    "Esbuild",
    "EsbuildService",
    "Output",
    "browser_maps",
    "component_compilation",
    "remedy_of_text",
]
