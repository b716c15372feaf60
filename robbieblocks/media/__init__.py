"""Media: what is made of the pictures, fonts and other files that pages show."""

from robbieblocks.media.kinds import KindProblem, MediaKind, kind_of

__all__ = ["KindProblem", "MediaKind", "kind_of"]
