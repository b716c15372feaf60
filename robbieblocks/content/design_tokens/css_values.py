"""Values of design tokens as CSS, by their type (Design Tokens Format Module 2025.10)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from robbieblocks.content.design_tokens.colors import color_css
from robbieblocks.content.design_tokens.json_values import (
    Unusable,
    css_number,
    is_list,
    is_number,
    shown,
    wrong,
)
from robbieblocks.css_text import css_string
from robbieblocks.messages import printable
from robbieblocks.model import Json, JsonObject

WEIGHTS: Final = {
    **dict.fromkeys(("thin", "hairline"), 100),
    **dict.fromkeys(("extra-light", "ultra-light"), 200),
    "light": 300,
    **dict.fromkeys(("normal", "regular", "book"), 400),
    "medium": 500,
    **dict.fromkeys(("semi-bold", "demi-bold"), 600),
    "bold": 700,
    **dict.fromkeys(("extra-bold", "ultra-bold"), 800),
    **dict.fromkeys(("black", "heavy"), 900),
    **dict.fromkeys(("extra-black", "ultra-black"), 950),
}
_STROKES: Final = frozenset(
    {"solid", "dashed", "dotted", "double", "groove", "ridge", "outset", "inset"}
)
_GENERIC: Final = re.compile(r"-?[a-z]+(-[a-z]+)*")
_NUMBER: Final = re.compile(r"[+-]?(\d++\.?\d*|\.\d+)")
# The format has px and rem; tools write the other lengths of CSS, too.
_LENGTHS: Final = re.compile(
    "px|r?em|%|r?(?:ch|ex|cap|ic|lh)|[sdl]?v(?:[whib]|min|max)|cq(?:[whib]|min|max)|cm|mm|in|pt|pc"
)
_ARITHMETIC: Final = re.compile(r"\s[*/+-]\s")
# Tokens Studio gives a colour that is named another alpha this way, which CSS can't.
_RGBA_OF_NAME: Final = re.compile(r"rgba\(\s*(\{[^{}]*\})\s*,\s*([0-9.]+%?)\s*\)")


class Names(Protocol):
    """How a value's references are followed."""

    def named(self, value: Json, kind: str) -> str | None:
        """`{key}` where a value is the name of a token; raises Unusable where that has no value."""
        ...

    def followed(self, value: Json) -> Json:
        """A value, or what it points at inside of another."""
        ...

    def with_keys(self, text: str) -> str:
        """A text with keys in place of the names that it has in braces."""
        ...


class Values:
    """Converts values; `names` follows what they refer to."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._converters: Mapping[str, Callable[[Json], str]] = {
            "color": self._color,
            "dimension": self._dimension,
            "fontFamily": self._font_family,
            "fontWeight": self._font_weight,
            "duration": self._duration,
            "cubicBezier": self._cubic_bezier,
            "number": self._number,
            "strokeStyle": self._stroke_style,
            "border": self._border,
            "transition": self._transition,
            "shadow": self._shadow,
            "gradient": self._gradient,
            # Types of Tokens Studio, Style Dictionary 3 and Figma.
            "boxShadow": self._earlier_shadow,
            "fontFamilies": self._font_family,
            "fontWeights": self._earlier_weight,
            "length": self._pixels,
            **dict.fromkeys(
                ("sizing", "spacing", "borderRadius", "borderWidth", "fontSizes", "letterSpacing"),
                self._pixels,
            ),
            **dict.fromkeys(
                ("paragraphSpacing", "paragraphIndent", "size", "fontSize"), self._pixels
            ),
            **dict.fromkeys(
                (
                    "lineHeights",
                    "opacity",
                    "string",
                    "text",
                    "textCase",
                    "textDecoration",
                    "other",
                    "time",
                ),
                self._text,
            ),
        }

    def css(self, kind: str, value: Json) -> str:
        """A value of a type as CSS. Raises Unusable."""
        named = self._names.named(value, kind)
        if named is not None:
            return named
        convert = self._converters.get(kind)
        if convert is None:
            raise Unusable(f"has the type `{printable(kind)}`, which no row can hold", _TYPES)
        return convert(self._names.followed(value))

    def _number(self, value: Json) -> str:
        value = self._names.followed(value)
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            return value
        if not is_number(value):
            raise wrong(value, "a number")
        return css_number(value)

    def _text(self, value: Json) -> str:
        """CSS as it is written; what an earlier format computes is `calc()`."""
        if is_number(value):
            return css_number(value)
        if not isinstance(value, str):
            raise wrong(value, "a text")
        text = self._names.with_keys(_RGBA_OF_NAME.sub(r"rgb(from \1 r g b / \2)", value))
        computed = _ARITHMETIC.search(text) and "{" in text and "(" not in text
        return f"calc({text})" if computed else text

    def _color(self, value: Json) -> str:
        if not isinstance(value, dict):
            return self._text_only(value, '{"colorSpace": "srgb", "components": [0, 0.4, 0.8]}')
        return color_css(value, self._names.followed)

    def _dimension(self, value: Json) -> str:
        if isinstance(value, dict):
            return self._with_unit(value, _LENGTHS, '"px" or "rem"')
        if is_number(value) and value != 0:
            raise Unusable("has no unit", '{"value": 16, "unit": "px"}')
        return self._text(value)

    def _pixels(self, value: Json) -> str:
        """A length of Tokens Studio, whose numbers are pixels."""
        if is_number(value) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
            text = self._number(value)
            return text if float(text) == 0 else f"{text}px"
        return self._dimension(value)

    def _duration(self, value: Json) -> str:
        if isinstance(value, dict):
            return self._with_unit(value, re.compile("ms|s"), '"ms" or "s"')
        return self._text_only(value, '{"value": 200, "unit": "ms"}')

    def _with_unit(self, value: JsonObject, units: re.Pattern[str], known: str) -> str:
        unit = self._names.followed(value.get("unit"))
        if not isinstance(unit, str) or not units.fullmatch(unit):
            raise Unusable(f"has the unit {shown(unit)}", f"write {known}")
        return self._number(value.get("value")) + unit

    def _text_only(self, value: Json, expected: str) -> str:
        if not isinstance(value, str):
            raise wrong(value, expected)
        return self._text(value)

    def _font_family(self, value: Json) -> str:
        if isinstance(value, str) and ("," in value or value[:1] in "'\""):
            return self._text(value)  # a list as CSS has it
        names = value if is_list(value) else [value]
        return ", ".join(map(self._family, names))

    def _family(self, value: Json) -> str:
        named = self._names.named(value, "fontFamily")
        if named is not None:
            return named
        if not isinstance(value, str) or not value:
            raise wrong(value, "the name of a font")
        return value if _GENERIC.fullmatch(value) else css_string(value)

    def _font_weight(self, value: Json) -> str:
        if isinstance(value, str) and value in WEIGHTS:
            return str(WEIGHTS[value])
        if not is_number(value) or not 1 <= value <= 1000:
            raise wrong(value, "a number from 1 to 1000, or a name such as semi-bold")
        return css_number(value)

    def _earlier_weight(self, value: Json) -> str:
        """`Semi Bold`, as Tokens Studio names the weights of fonts, or a number in a text."""
        if isinstance(value, str):
            name = re.sub(r"[\s_]+|(?<=[a-z])(?=[A-Z])", "-", value.strip()).lower()
            name = {"semibold": "semi-bold", "extrabold": "extra-bold"}.get(name, name)
            return self._text(value) if name not in WEIGHTS else str(WEIGHTS[name])
        return self._font_weight(value)

    def _cubic_bezier(self, value: Json) -> str:
        if isinstance(value, str):
            return self._text(value)
        if not is_list(value) or len(value) != 4:
            raise wrong(value, "four numbers")
        numbers = [self._number(each) for each in value]
        if not all(0 <= float(numbers[at]) <= 1 for at in (0, 2)):
            raise Unusable("has an x that is not between 0 and 1", "write [x1, y1, x2, y2]")
        return f"cubic-bezier({', '.join(numbers)})"

    def _stroke_style(self, value: Json) -> str:
        if isinstance(value, str) and value in _STROKES:
            return value
        remedy = f"write one of {', '.join(sorted(_STROKES))}"
        raise Unusable("has a style of strokes that CSS has no value for", remedy)

    def _border(self, value: Json) -> str:
        parts = self._parts(value, "width", "style", "color")
        kinds = ("dimension", "strokeStyle", "color")
        return " ".join(map(self.css, kinds, parts))

    def _transition(self, value: Json) -> str:
        parts = self._parts(value, "duration", "timingFunction", "delay")
        return " ".join(map(self.css, ("duration", "cubicBezier", "duration"), parts))

    def _parts(self, value: Json, *names: str) -> list[Json]:
        if not isinstance(value, dict):
            raise wrong(value, f"an object with {', '.join(names)}")
        missing = [name for name in names if name not in value]
        if missing:
            raise Unusable(f"lacks {', '.join(missing)}", "write it")
        return [value[name] for name in names]

    def _shadow(self, value: Json) -> str:
        return ", ".join(
            self.css("shadow", each) if _is_reference(each) else self._layer(each, "dimension")
            for each in (value if is_list(value) else [value])
        )

    def _earlier_shadow(self, value: Json) -> str:
        """A `boxShadow` of Tokens Studio: other names, and numbers for pixels."""
        if isinstance(value, str):
            return self._text(value)
        return ", ".join(
            self._layer(each, "length") for each in (value if is_list(value) else [value])
        )

    def _layer(self, value: Json, size: str) -> str:
        value = self._names.followed(value)
        if size == "length" and isinstance(value, dict):
            inner = value.get("type") == "innerShadow"
            value = {_LAYER_NAMES.get(name, str(name)): each for name, each in value.items()}
            value = {"blur": 0, "spread": 0, "inset": inner, **value}
        color, *sizes = self._parts(value, "color", "offsetX", "offsetY", "blur", "spread")
        lengths = [self.css(size, each) for each in sizes]
        inset = isinstance(value, dict) and self._names.followed(value.get("inset")) is True
        return " ".join([*lengths, self.css("color", color), *(["inset"] if inset else [])])

    def _gradient(self, value: Json) -> str:
        if not is_list(value) or not value:
            raise wrong(value, "a list of stops")
        return f"linear-gradient({', '.join(map(self._stop, value))})"

    def _stop(self, value: Json) -> str:
        color, position = self._parts(self._names.followed(value), "color", "position")
        named = self._names.named(position, "number")
        if named is None:
            at = self._names.followed(position)
            if not is_number(at):
                raise wrong(at, "a number from 0 to 1")
            named = css_number(round(min(max(at, 0), 1) * 100, 4)) + "%"
        else:
            named = f"calc({named} * 100%)"
        return f"{self.css('color', color)} {named}"


def _is_reference(value: Json) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and "$ref" in value)


_LAYER_NAMES: Final = {"x": "offsetX", "y": "offsetY"}
_TYPES: Final = "leave it out, or write a value of a type of the format"
