"""Fonts: the families that tokens name, served from the toolchain's files where it has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

import tinycss2

from robbieblocks.brand.fallback_metrics import ANDROID, METRICS, FallbackKind
from robbieblocks.brand.families import families, not_installed
from robbieblocks.brand.tokens import ResolvedTokens, node_problem
from robbieblocks.css_text import by_comma, css_string
from robbieblocks.errors import Problem
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import Asset, FontFace, FontMeasure, NodeRow
from robbieblocks.row_faults import blame

NO_FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {}
Fonts = Callable[[str], tuple[FontFace, ...]]

_FORMATS = {"woff2": "woff2", "woff": "woff", "ttf": "truetype", "otf": "opentype"}
_SAFE_FACE = re.compile(r"[A-Za-z0-9 %.+?,-]*")
_MAX_FAMILIES = 20
_DRAWN_FILES = 12
# The same letters on Windows and macOS, on Linux, and on ChromeOS.
_LOCAL: Final[dict[tuple[FallbackKind, int], str]] = {
    ("sans", 400): "Arial, ArialMT, Liberation Sans, LiberationSans, Arimo, Arimo-Regular",
    ("sans", 700): "Arial Bold, Arial-BoldMT, Liberation Sans Bold, LiberationSans-Bold, "
    "Arimo Bold, Arimo-Bold",
    ("serif", 400): "Times New Roman, TimesNewRomanPSMT, Liberation Serif, LiberationSerif, "
    "Tinos, Tinos-Regular",
    ("serif", 700): "Times New Roman Bold, TimesNewRomanPS-BoldMT, Liberation Serif Bold, "
    "LiberationSerif-Bold, Tinos Bold, Tinos-Bold",
    ("mono", 400): "Courier New, CourierNewPSMT, Liberation Mono, LiberationMono, Cousine, "
    "Cousine-Regular, Droid Sans Mono, DroidSansMono",
    ("mono", 700): "Courier New Bold, CourierNewPS-BoldMT, Liberation Mono Bold, "
    "LiberationMono-Bold, Cousine Bold, Cousine-Bold",
}
# Android's letters are of other widths (ANDROID).
_ANDROID: Final[dict[tuple[FallbackKind, int], str]] = {
    ("sans", 400): "Roboto, Roboto-Regular",
    ("sans", 700): "Roboto Bold, Roboto-Bold",
    ("serif", 400): "Noto Serif, NotoSerif",
    ("serif", 700): "Noto Serif Bold, NotoSerif-Bold",
}
# Which weights are drawn with the letters that were measured at one.
_WEIGHTS: Final = {400: "1 549", 700: "550 1000"}


class HostedFonts:
    """The @font-face rules and files of a node's font tokens, and what is missing.

    `own` are the families of which the node's CSS has faces, in lower case, each with the names of
    its fallbacks.
    """

    def __init__(
        self,
        node: NodeRow,
        resolved: ResolvedTokens,
        fonts: Fonts,
        own: Mapping[str, tuple[str, ...]] = NO_FAMILIES,
    ) -> None:
        self._node = node
        self._own = own
        self._fonts = fonts
        self._faces: dict[str, tuple[FontFace, ...]] = {}
        self._assets: dict[tuple[str, str], Asset] = {}
        self._rules: list[str] = []
        self._by_token: dict[str, str] = {}
        self._own_by_token: dict[str, str] = {}
        self.problems: list[Problem] = []
        for key, value in resolved.values.items():
            if resolved.is_font(key):
                with blame(
                    self.problems.append,
                    "node_branding",
                    node.id,
                    "style_overrides",
                    pointer=json_pointer(key),
                ):
                    self._host(key, families(value))

    @property
    def rules(self) -> str:
        """The @font-face rules, one a line."""
        return "".join(rule + "\n" for rule in self._rules)

    def with_fallback(self, token: str, value: str) -> str:
        """A token's value with the fallback of its hosted font behind the font's name.

        The fallback is a font of the visitor's machine, drawn as large as the hosted one: nothing
        moves when the file has come (CSS Fonts 5, size-adjust and the metrics overrides).
        """
        hosted = self._own_by_token.get(token, "")
        names = self._own.get(hosted, ())
        if not names:
            hosted = self._by_token.get(token, "")
            names = fallback_names(hosted) if hosted in METRICS else ()
        if not names:
            return value
        listed = [
            tinycss2.serialize(nodes).strip()
            for nodes in by_comma(tinycss2.parse_component_value_list(value))
        ]
        at = [name.lower() for name in families(value)].index(hosted) + 1
        return ", ".join([*listed[:at], *map(css_string, names), *listed[at:]])

    @property
    def assets(self) -> tuple[Asset, ...]:
        """The font files, each once."""
        return tuple({asset.name: asset for asset in self._assets.values()}.values())

    def upright(self, role: str, weight: int) -> tuple[Asset, ...]:
        """The upright files of `body` or `heading` for a weight, latin letters first; none where
        it has no hosted font. A file's letters are those of its alphabet: all, not the common ones.
        """
        family = self._family(role)
        every = self._faces.get(family, ())
        faces = [face for face in every if face.style == "normal" and not face.is_common]
        faces.sort(
            key=lambda f: (not _is_latin(f.unicode_range), distance(f.weight, weight), f.file)
        )
        nearest = {face.unicode_range: face for face in reversed(faces)}
        chosen = [face for face in faces if nearest[face.unicode_range] is face]
        return tuple(self._assets[family, face.file] for face in chosen[:_DRAWN_FILES])

    def own_family(self, role: str) -> str:
        """The family of a role, in lower case, where the node's CSS has faces of it."""
        return _of_role(self._own_by_token, role)

    def _family(self, role: str) -> str:
        """The family of a role, in lower case; "" where no token with that word hosts one."""
        return _of_role(self._by_token, role)

    def _host(self, token: str, names: list[str]) -> None:
        """Host the first family of a font stack, or else the next one that the toolchain has.

        A stack that starts with a system font needs no file.
        """
        wanted = not_installed(names[:_MAX_FAMILIES])
        if not wanted or wanted[0] != names[0]:
            return
        is_own = names[0].lower() in self._own
        # What an own font lacks shows in the next one, whose files are fetched for that alone.
        for name in wanted[is_own:]:
            if self._has(name):
                self._by_token[token] = name.lower()
                break
        if is_own:
            self._own_by_token[token] = names[0].lower()
        elif not self._faces[names[0].lower()]:
            instead = self._by_token.get(token, "the next of its stack")
            what = (
                f"token {token}: the toolchain has no font `{printable(names[0])}`; "
                f"{printable(instead)} shows where the visitor lacks it"
            )
            remedy = "name a font of the toolchain, or add its @fontsource package to it"
            problem = node_problem(self._node, "style_overrides", what, remedy)
            self.problems.append(replace(problem, severity="warning"))

    def _has(self, name: str) -> bool:
        family = name.lower()
        if family not in self._faces:
            self._faces[family] = self._fonts(name)
            for face in self._faces[family]:
                self._add(name, face)
            if self._faces[family]:
                self._rules += fallback_rules(family)
        return bool(self._faces[family])

    def _add(self, name: str, face: FontFace) -> None:
        file = PurePosixPath(face.file)
        extension = file.suffix.lstrip(".").lower()
        asset = Asset.of(file.stem, extension, face.content)
        self._assets[name.lower(), face.file] = asset
        described = {
            "font-style": face.style,
            "font-weight": face.weight,
            "unicode-range": face.unicode_range,
        }
        declarations = "".join(
            f"{key}:{value};"
            for key, value in described.items()
            if value and _SAFE_FACE.fullmatch(value)
        )
        self._rules.append(
            f"@font-face{{font-family:{css_string(name)};font-display:swap;{declarations}"
            f'src:url({asset.url}) format("{_FORMATS.get(extension, extension)}")}}'
        )


def names_for(family: str, kind: FallbackKind) -> tuple[str, ...]:
    """The names of the fallbacks of a family, given in lower case."""
    first = f"{family} fallback"
    return (first, f"{first} android") if (kind, 400) in _ANDROID else (first,)


def fallback_names(family: str) -> tuple[str, ...]:
    """The same of a family with METRICS."""
    return names_for(family, METRICS[family][0])


def fallback_rules(family: str) -> Iterator[str]:
    """The @font-face rules of a family's fallbacks; none where it was not measured."""
    if family not in METRICS:
        return
    kind, metrics = METRICS[family]
    measures = [FontMeasure(weight, *numbers) for weight, numbers in metrics.items()]
    for each in measures:
        yield _first_rule(family, kind, each, _WEIGHTS[each.weight])
    for each in measures:
        yield from _android_rule(family, kind, each, _WEIGHTS[each.weight])


def measured_rules(
    family: str, kind: FallbackKind, measure: FontMeasure, weights: str
) -> Iterator[str]:
    """The same of a font of media, for these weights, or where they are empty those around its."""
    weights = weights or _WEIGHTS[measure.weight]
    yield _first_rule(family, kind, measure, weights)
    yield from _android_rule(family, kind, measure, weights)


def _first_rule(family: str, kind: FallbackKind, measure: FontMeasure, weights: str) -> str:
    name = names_for(family, kind)[0]
    return _fallback_rule(name, weights, measure, _LOCAL[kind, measure.weight])


def _android_rule(
    family: str, kind: FallbackKind, measure: FontMeasure, weights: str
) -> Iterator[str]:
    for name in names_for(family, kind)[1:]:
        weight, size, *heights = measure
        width = ANDROID[kind, weight]
        # The heights are of the size that is drawn.
        drawn = FontMeasure(weight, size / width, *(height * width for height in heights))
        yield _fallback_rule(name, weights, drawn, _ANDROID[kind, weight])


def _fallback_rule(name: str, weights: str, measure: FontMeasure, local: str) -> str:
    size, ascent, descent, gap = (round(number, 2) for number in measure[1:])
    return (
        f"@font-face{{font-family:{css_string(name)};"
        f"font-weight:{weights};size-adjust:{size:g}%;ascent-override:{ascent:g}%;"
        f"descent-override:{descent:g}%;line-gap-override:{gap:g}%;src:{_local(local)}}}"
    )


def _local(names: str) -> str:
    """Fonts of the visitor's machine as sources: full names and PostScript names."""
    return ",".join(f"local({css_string(name)})" for name in names.split(", "))


def _is_latin(unicode_range: str) -> bool:
    return (
        not unicode_range
        or re.search(r"U\+0{0,4}0?-0*FF\b", unicode_range, re.IGNORECASE) is not None
    )


def _of_role(families: Mapping[str, str], role: str) -> str:
    key = next((k for k in sorted(families) if role in re.split(r"[._-]", k)), None)
    return families[key] if key else ""


def distance(weights: str, wanted: int) -> int:
    """How far a weight lies from those that a face states, 400 where it states none."""
    numbers = [int(number) for number in re.findall(r"[0-9]+", weights)] or [400]
    low, high = numbers[0], numbers[-1]
    return max(low - wanted, 0, wanted - high)
