"""Style tokens as Tailwind's theme: `bg-primary`, `p-lg`, `font-heading` follow the tokens.

Utilities refer to the token's own custom property, so that a node's overrides reach them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from robbieblocks.css_text import named_tokens, property_name
from robbieblocks.model import TokenRow

# Tailwind's namespaces, and the prefixes of tokens (as custom properties) that stand for each.
_PREFIXES = {
    "color": ("color", "colors"),
    "spacing": ("spacing", "space"),
    "font": ("font", "font-family"),
    "text": ("font-size", "text", "text-size"),
    "font-weight": ("font-weight",),
    "tracking": ("font-tracking", "letter-spacing", "tracking"),
    "leading": ("font-leading", "line-height", "leading"),
    "radius": ("radius", "border-radius"),
    "transition-duration": ("animation", "duration", "animation-duration"),
    "ease": ("ease", "easing", "animation-ease"),
    "z-index": ("z", "z-index"),
}
_UNRENAMED = (
    *("shadow", "inset-shadow", "drop-shadow", "text-shadow", "blur", "aspect", "container"),
    *("breakpoint", "animate", "opacity"),
)
_NAMESPACES = {
    **{prefix: namespace for namespace, prefixes in _PREFIXES.items() for prefix in prefixes},
    **{name: name for name in _UNRENAMED},
}
# Tokens of which there is one, without a name after the prefix: `ease-normal`, `leading-normal`.
_ALONE = {"animation-ease": "ease-normal", "font-leading": "leading-normal"}
# A media query can't read a custom property: of these the theme has the value.
_BY_VALUE = frozenset({"breakpoint"})
_MOST_FOLLOWED = 20
# A spacing token takes these names from the widths of Tailwind's own scale (`max-w-lg`).
_WIDTHS = ("max-width", "min-width", "width", "flex-basis")
_SIZES = ("3xs", "2xs", "xs", "sm", "md", "lg", "xl", "2xl", "3xl", "4xl", "5xl", "6xl", "7xl")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII)
_LENGTH = re.compile(r"\d+(\.\d+)?(px|rem|em)", re.ASCII)


def theme_css(tokens: Collection[TokenRow]) -> str:
    """The tokens as Tailwind's theme; equal for equal names, whatever most values are."""
    rules = dict(sorted(_rules(tokens)))
    inline = "".join(f"--{name}:{value};" for name, value in rules.items())
    return (
        f"@theme inline{{{inline}}}\n"
        "@custom-variant dark (&:where([data-theme=dark], [data-theme=dark] *));\n"
        "@custom-variant light (&:where([data-theme=light], [data-theme=light] *));\n"
    )


def _rules(tokens: Collection[TokenRow]) -> Iterator[tuple[str, str]]:
    defaults = {token.key: token.default for token in tokens}
    for token in tokens:
        name = property_name(token.key).removeprefix("--")
        if not _NAME.fullmatch(name):
            continue
        if name in _ALONE:
            yield _ALONE[name], f"var(--{name})"
            continue
        parts = name.split("-")  # the longest prefix wins
        for length in range(len(parts) - 1, 0, -1):
            namespace = _NAMESPACES.get("-".join(parts[:length]))
            if namespace is not None:
                value = _followed(token.default, defaults) if namespace in _BY_VALUE else ""
                yield from _mapped(namespace, "-".join(parts[length:]), name, value)
                break


def _followed(value: str, defaults: Mapping[str, str]) -> str:
    """A value without blanks around it; where it only names a token, the default of that token."""
    for _ in range(_MOST_FOLLOWED):
        names = named_tokens(value)
        if not names or value.strip()[1:-1].strip() != names[0]:
            break
        value = defaults.get(names[0], "")
    return value.strip()


def _mapped(namespace: str, rest: str, name: str, value: str) -> Iterator[tuple[str, str]]:
    if namespace in _BY_VALUE:
        if _LENGTH.fullmatch(value):
            yield f"{namespace}-{rest}", value
        return
    yield f"{namespace}-{rest}", f"var(--{name})"
    if namespace == "spacing" and rest in _SIZES:
        yield from ((f"{width}-{rest}", f"var(--container-{rest})") for width in _WIDTHS)
