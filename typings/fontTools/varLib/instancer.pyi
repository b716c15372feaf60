from collections.abc import Mapping

from fontTools.ttLib import TTFont

def instantiateVariableFont(  # noqa: N802 -- the library names it so
    font: TTFont, limits: Mapping[str, float]
) -> TTFont: ...
