"""Publishing: a run is composed, made live (not in a dry run), and reported."""

from robbieblocks.pipeline.publishing.composing import (
    ComposedRun,
    compose,
    problems_of,
    remember_failures,
)
from robbieblocks.pipeline.publishing.publish import publish

__all__ = ["ComposedRun", "compose", "problems_of", "publish", "remember_failures"]
