"""Prerendering: blocks to HTML in an isolate, and pages from blocks.

The doors are `rendering.Prerenderer`, `keys.job_key` and `page.Shell`. Nothing is imported here,
because the child processes run modules of this package and must start quickly.
"""
