"""Media as pages show them: what was made of a file, and the addresses of that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, NamedTuple, TypeAlias

from robbieblocks.errors import Problem
from robbieblocks.model.values import ASSET_PREFIX, Json, JsonObject, canonical_json, sha256

# In this order a browser takes the first that it knows.
_SOURCES: Final = ("image/avif", "image/webp")
# A picture that is narrower is no more than a sign, or a person's small portrait.
_SHOWN_WIDTH: Final = 240
# One that is narrower than this hardly fills a page's first screen.
_PROMINENT_WIDTH: Final = 480


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRow:
    """A picture, font or other file, without its bytes. `hash` is theirs, `size` their number."""

    key: str
    file_name: str
    type: str
    hash: str
    size: int
    alt: str = ""
    is_decorative: bool = False
    focal_point: str = ""
    served_path: str = ""


@dataclass(frozen=True, slots=True)
class MediaObject:
    """Where the bytes of a file lie in a bucket (`s3://name/key`), their hash and their number."""

    address: str
    hash: str
    size: int


MediaBytes: TypeAlias = bytes | MediaObject
"""The bytes of a file, or where they lie."""


def no_media(key: str) -> MediaBytes:
    """The bytes of a file where there is none: raises KeyError."""
    raise KeyError(key)


class MediaForm(NamedTuple):
    """A file that was made of a row: the name of its asset, its type, and a picture's size."""

    name: str
    type: str
    width: int = 0
    height: int = 0

    @property
    def url(self) -> str:
        """The URL path of the form."""
        return ASSET_PREFIX + self.name


class FontMeasure(NamedTuple):
    """How a font of visitors' machines is drawn as large as a file's letters of a weight: a size in
    percent, and of that the ascent, descent and line gap.
    """

    weight: int
    size: float
    ascent: float
    descent: float
    gap: float


FontKind = Literal["sans", "serif", "mono"]


@dataclass(frozen=True, kw_only=True)
class Media:
    """A row and what was made of it. The last form is the plain one, which everything reads.

    Of a font, the first of two forms has its common letters; `font_kind` and `measures` say what
    takes its place meanwhile, where it was measured. `width` and `height` are those of a picture as
    it is seen, 0 of other files. `placeholder` is a data URL of a few of its pixels, or empty.
    """

    row: MediaRow
    forms: tuple[MediaForm, ...]
    width: int = 0
    height: int = 0
    placeholder: str = ""
    font_kind: FontKind | None = None
    measures: tuple[FontMeasure, ...] = ()

    @property
    def key(self) -> str:
        """The row's key."""
        return self.row.key

    @property
    def url(self) -> str:
        """The address of the plain form."""
        return self.forms[-1].url

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the assets that were made."""
        return tuple(form.name for form in self.forms)

    @property
    def is_font(self) -> bool:
        """Whether it is a font."""
        return self.forms[-1].type.startswith("font/")

    @property
    def is_photo(self) -> bool:
        """Whether the plain form is a picture that social networks show: no drawing."""
        return bool(self.width) and self.forms[-1].type != "image/svg+xml"

    @property
    def prominence(self) -> int:
        """How much of a page's first screen it may fill: 0 for next to nothing, 1 or 2."""
        return (self.width >= _SHOWN_WIDTH) + (self.width >= _PROMINENT_WIDTH)

    @cached_property
    def value(self) -> JsonObject:
        """What a component gets in the place of `media:<key>`."""
        made: dict[str, Json] = {"src": self.url, "type": self.forms[-1].type}
        if self.width:
            made |= {"width": self.width, "height": self.height, "alt": self.row.alt}
            sources = [source for kind in _SOURCES if (source := self._source(kind))]
            if sources:
                made["sources"] = sources
            if self.placeholder:
                made["placeholder"] = self.placeholder
            if self.row.focal_point:
                made["position"] = self.row.focal_point
        return made

    @cached_property
    def digest(self) -> str:
        """A hash of all that pages show of it."""
        return sha256(canonical_json(self.value))

    def _source(self, kind: str) -> JsonObject:
        forms = sorted((form for form in self.forms if form.type == kind), key=_width)
        if not forms:
            return {}
        return {"type": kind, "srcSet": ", ".join(f"{each.url} {each.width}w" for each in forms)}


def _width(form: MediaForm) -> int:
    return form.width


@dataclass(frozen=True, kw_only=True)
class MediaLibrary:
    """The media that rows refer to, by key; `wrong` says what is wrong with those of which nothing
    could be made, and `keys` are all that there are. `in_styles` are the names of assets that
    stylesheets and tokens refer to.
    """

    media: Mapping[str, Media] = field(default_factory=dict[str, Media])
    wrong: Mapping[str, Problem] = field(default_factory=dict[str, Problem])
    keys: tuple[str, ...] = ()
    in_styles: tuple[str, ...] = ()

    def assets_of(self, keys: Iterable[str]) -> tuple[str, ...]:
        """The names of the assets of these media, sorted."""
        found = (self.media[key].names for key in keys if key in self.media)
        return tuple(sorted({name for names in found for name in names}))


NO_MEDIA: Final = MediaLibrary()
