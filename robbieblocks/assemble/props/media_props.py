"""Props with what was made of media in place of `media:<key>`, in texts of Markdown as well."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import escape, unescape
from typing import Any, Final

from robbieblocks.assemble.conditions.operators import ALWAYS, Condition, asks_browser
from robbieblocks.assemble.props.markdown_places import Path
from robbieblocks.assemble.values import MAX_PROBLEMS, ValueProblem
from robbieblocks.media_names import REFERENCE
from robbieblocks.messages import did_you_mean, json_pointer, printable
from robbieblocks.model import Json, Media, MediaLibrary

_SIGN: Final = "media:"
# As the renderer of Markdown writes them; in texts it writes no quote as it is.
_IMAGE: Final = re.compile(r'<img src="media:([^"]*)" alt="([^"]*)"( title="[^"]*")? />')
# A page of blocks with a condition each has no more pictures that come first.
_MOST_FIRSTS: Final = 8
# A text is hardly wider.
_SIZES: Final = "(min-width: 48rem) 48rem, 100vw"
_LINK: Final = re.compile(r'href="media:([^"]*)"')


@dataclass(slots=True)
class PageMedia:
    """The media that a page shows, as they are found. The first large picture comes first; so does
    the first of all before it that is more than a sign: a list of small ones may fill the screen.

    `condition` is that of the block whose media are looked for. A block that may not show takes
    nothing from those behind it: each condition has a first picture, until one always shows.
    """

    library: MediaLibrary
    found: dict[str, Media] = field(default_factory=dict[str, Media])
    condition: Condition = ALWAYS
    _unknown: int = 0
    # By the condition, the greatest prominence of those that came first.
    _firsts: dict[Condition, int] = field(default_factory=dict[Condition, int])

    def value(self, text: Json, path: Path) -> Json | ValueProblem:
        """What a prop with `"format": "media"` becomes; an empty text stays nothing."""
        if text == "":
            return None
        named = REFERENCE.fullmatch(text) if isinstance(text, str) else None
        if named is None:
            what = f"{printable(str(text))} names no media"
            return ValueProblem(json_pointer(*path), what, "write media:<key>, such as media:logo")
        media = self._named(named[1])
        if isinstance(media, ValueProblem):
            return replace(media, pointer=json_pointer(*path))
        return {**media.value, "priority": True} if self._is_first(media) else media.value

    def html(self, html: str, text: str) -> str | ValueProblem:
        """The HTML of a Markdown text with its media; or what is wrong with one of them."""
        if _SIGN not in html:
            return html
        wrong: list[ValueProblem] = []

        def with_media(write: Callable[[Media, re.Match[str]], str]) -> Callable[[Any], str]:
            def replaced(it: re.Match[str]) -> str:
                # Looking for a name that is almost one takes milliseconds.
                if wrong:
                    return it[0]
                media = self.named(unescape(it[1]), text)
                if isinstance(media, Media):
                    return write(media, it)
                wrong.append(media)
                return it[0]

            return replaced

        made = _IMAGE.sub(with_media(self._image), html)
        made = _LINK.sub(with_media(lambda media, _: f'href="{media.url}"'), made)
        return wrong[0] if wrong else made

    def named(self, key: str, text: str) -> Media | ValueProblem:
        """The media of a key that a text has; or what is wrong with it, and in which line."""
        media = self._named(key)
        if isinstance(media, Media):
            return media
        at = text.find(_SIGN + key)
        return replace(media, line=text.count("\n", 0, at) + 1 if at >= 0 else None)

    def shared(self, text: Json) -> Media | ValueProblem | None:
        """The picture that `og_image` names, as social networks show it; None where it is none of
        media.
        """
        if not isinstance(text, str) or not text.startswith(_SIGN):
            return None
        media = self._named(text.removeprefix(_SIGN))
        if isinstance(media, Media) and not media.is_photo:
            what = f"{printable(text)} is no picture that is shown where pages are shared"
            return ValueProblem("", what, "name a photo, or a PNG")
        return media

    def _named(self, key: str) -> Media | ValueProblem:
        media = self.library.media.get(key)
        if media is not None:
            self.found[key] = media
            return media
        name = printable(_SIGN + key)
        if (problem := self.library.wrong.get(key)) is not None:
            what = f"{name} {problem.what}"
            return ValueProblem("", what, problem.remedy, passing=problem.passing)
        remedy = "put its file into content/media/ and import it"
        self._unknown += 1
        # Finding what is like a name takes time, and a page may name very many.
        if self._unknown > MAX_PROBLEMS:
            return ValueProblem("", f"there is no {name}", remedy)
        if self.library.keys and "mean" in (near := did_you_mean(key, self.library.keys)):
            remedy = near
        return ValueProblem("", f"there is no {name}", remedy)

    def _is_first(self, media: Media) -> bool:
        firsts, condition = self._firsts, self.condition
        # Browsers fetch what comes first even where it is hidden.
        if not media.prominence or asks_browser(condition):
            return False
        before = max(firsts.get(condition, 0), firsts.get(ALWAYS, 0))
        if media.prominence <= before or (condition not in firsts and len(firsts) == _MOST_FIRSTS):
            return False
        firsts[condition] = media.prominence
        return True

    def _image(self, media: Media, written: re.Match[str]) -> str:
        """A picture in a text as `@robbieblocks/image` writes it, as wide as the text."""
        told: Any = media.value
        alt = unescape(written[2]) or media.row.alt
        is_first = self._is_first(media)
        attributes = {
            "src": media.url,
            **({"width": media.width, "height": media.height} if media.width else {}),
            "alt": alt,
            "style": _style(told),
            "sizes": _SIZES if "sources" in told else "",
            "loading": "eager" if is_first else "lazy",
            "fetchpriority": "high" if is_first else "",
            "decoding": "sync" if is_first else "async",
        }
        listed = "".join(
            f' {name}="{escape(str(value))}"'
            for name, value in attributes.items()
            if value or name == "alt"
        )
        img = f"<img{listed}{written[3] or ''} />"
        if "sources" not in told:
            return img
        sources = "".join(
            f'<source type="{each["type"]}" srcset="{each["srcSet"]}" sizes="{_SIZES}" />'
            for each in told["sources"]
        )
        return f'<picture style="display:contents">{sources}{img}</picture>'


def _style(told: Mapping[str, str]) -> str:
    """What is shown while a picture is not there yet, and what stays in sight of it."""
    parts: list[str] = []
    if position := told.get("position"):
        parts.append(f"object-position:{position}")
    if placeholder := told.get("placeholder"):
        parts += [f'background-image:url("{placeholder}")', "background-size:cover"]
        parts += [f"background-position:{position}"] if position else []
    return ";".join(parts)
