"""What a process keeps open and warm between builds."""

from robbieblocks.pipeline.context.context import BuildContext

__all__ = ["BuildContext"]
