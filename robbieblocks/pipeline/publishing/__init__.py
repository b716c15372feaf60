"""Publishing: a run is composed, made live (not in a dry run), and reported."""

from robbieblocks.pipeline.publishing.composing import compose, problems_of
from robbieblocks.pipeline.publishing.publish import publish

__all__ = ["compose", "problems_of", "publish"]
