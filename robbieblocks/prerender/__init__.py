"""Prerendering: blocks to HTML in an isolate, and pages from blocks."""

from robbieblocks.prerender.keys import job_key
from robbieblocks.prerender.rendering import Prerenderer

__all__ = ["Prerenderer", "job_key"]
