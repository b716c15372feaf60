from collections.abc import Mapping

from fontTools.ttLib import TTFont

def instantiateVariableFont(font: TTFont, axisLimits: Mapping[str, float]) -> TTFont: ...
