"""Texts of HTML with addresses in place of `media:<key>` and `page:<key>`."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Final

from robbieblocks.assemble.props.media_props import PageMedia
from robbieblocks.assemble.props.page_links import PageLinks
from robbieblocks.assemble.values import ValueProblem
from robbieblocks.media_names import URL_IN_CSS

# A comment, or a tag up to its end; where a text ends first, all that is left is one. So whatever a
# text is, each character of it is looked at once.
_PARTS: Final = re.compile(
    r"""<!--(?:-?>|(?:[^-]|-(?!->))*+(?:-->)?)|<[A-Za-z](?:[^<>"']|"[^"]*"?|'[^']*'?)*+>?"""
)
# The name of an attribute, and its value: HTML, "attributes".
_ATTRIBUTE: Final = re.compile(
    r"""([^\s"'<>/=]++)(?:([ \t\r\n\f]*+=[ \t\r\n\f]*+)("[^"]*"?|'[^']*'?|[^\s"'<>]++))?"""
)
_IN_SRCSET: Final = re.compile(r"(?<![^\s,])media:([^\s,]+)")
_MEDIA: Final = "media:"
_PAGE: Final = "page:"
_ADDRESSES: Final = frozenset({"href", "src", "srcset", "poster", "style"})


def with_addresses(text: str, media: PageMedia, links: PageLinks) -> str | ValueProblem:
    """A text of HTML whose elements have addresses for media and pages; or what is wrong with one.

    Only `href`, `src`, `srcset`, `poster` and each `url()` of a `style` are looked at. A picture
    that says neither width nor height gets those of the file, one without `alt` what its row says.
    """
    if _MEDIA not in text and _PAGE not in text:
        return text
    reader = _Reader(text, media, links)
    made = _PARTS.sub(reader.part, text)
    return reader.wrong or made


class _Reader:
    def __init__(self, text: str, media: PageMedia, links: PageLinks) -> None:
        self._text = text
        self._media = media
        self._links = links
        self.wrong: ValueProblem | None = None

    def part(self, found: re.Match[str]) -> str:
        tag = found[0]
        if tag.startswith("<!") or (_MEDIA not in tag and _PAGE not in tag):
            return tag
        names = {each[1].lower() for each in _ATTRIBUTE.finditer(tag)}
        return _ATTRIBUTE.sub(lambda each: self._attribute(each, names), tag)

    def _attribute(self, written: re.Match[str], names: set[str]) -> str:
        name, equals, value = written[1].lower(), written[2], written[3]
        if name not in _ADDRESSES or value is None or self.wrong:
            return written[0]
        address = unescape(_unquoted(value)).strip()
        more = ""
        if name == "srcset":
            made = _IN_SRCSET.sub(lambda it: self._file(it[1])[0], address)
        elif name == "style":
            if not URL_IN_CSS.search(address):
                return written[0]
            made = URL_IN_CSS.sub(lambda it: f"url('{self._file(it[2])[0]}')", address)
        elif address.startswith(_MEDIA):
            made, more = self._file(address.removeprefix(_MEDIA), names)
        elif address.startswith(_PAGE):
            found = self._links.address(address.removeprefix(_PAGE), self._text, name)
            made = self._or_wrong(found)
        else:
            return written[0]
        return f'{written[1]}{equals}"{escape(made)}"{more if name == "src" else ""}'

    def _file(self, key: str, names: set[str] | None = None) -> tuple[str, str]:
        """The address of a file, and the attributes that its picture lacks."""
        # Looking for a name that is almost one takes milliseconds.
        if self.wrong:
            return key, ""
        media = self._media.named(key, self._text)
        if isinstance(media, ValueProblem):
            return self._or_wrong(media), ""
        more = ""
        if media.width and names is not None and "img" in names:
            if not names & {"width", "height"}:
                more += f' width="{media.width}" height="{media.height}"'
            if "alt" not in names:
                more += f' alt="{escape(media.row.alt)}"'
        return media.url, more

    def _or_wrong(self, made: str | ValueProblem) -> str:
        if isinstance(made, str):
            return made
        self.wrong = made
        return ""


def _unquoted(value: str) -> str:
    quote = value[0]
    return value[1:].removesuffix(quote) if quote in "\"'" else value
