"""Minifies CSS."""

from __future__ import annotations

import contextlib

import lightningcss


def minified(css: str) -> str:
    """The CSS without needless bytes, or as it is where the minifier can't read it."""
    with contextlib.suppress(ValueError):
        return lightningcss.process_stylesheet(css, minify=True)
    return css
