"""Prerendering: blocks to HTML in an isolate, and pages from blocks."""

from robbieblocks.prerender.rendering import Prerenderer, job_key

__all__ = ["Prerenderer", "job_key"]
