"""Compares a page with what a proxy made of it: minified, or with scripts of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

# What a proxy adds or rewrites, and visitors don't read.
_NOT_READ: Final = ("script", "style", "noscript", "template", "iframe")
_NAMED: Final = (
    ("a[href]", "href"),
    ("img[src]", "src"),
    ("link[href]", "href"),
    ("script[src]", "src"),
    ("meta[name][content]", "content"),
    ("meta[property][content]", "content"),
)
_OURS: Final = b"rb-body"


@dataclass(frozen=True, slots=True)
class Reading:
    """What visitors read of a page, word by word, and the addresses and texts that it names."""

    title: str
    words: tuple[str, ...]
    names: Counter[str]

    @classmethod
    def of(cls, body: bytes) -> Reading:
        """The reading of an HTML document."""
        # The other ways of asking need no parser.
        from selectolax.lexbor import LexborHTMLParser

        tree = LexborHTMLParser(body.decode(errors="replace"))
        names: Counter[str] = Counter()
        for selector, attribute in _NAMED:
            names.update(node.attributes.get(attribute) or "" for node in tree.css(selector))
        title = tree.css_first("title")
        heading = " ".join(title.text().split()) if title is not None else ""
        tree.strip_tags(list(_NOT_READ))
        text = tree.body.text(separator=" ") if tree.body is not None else ""
        return cls(heading, tuple(text.split()), names)


def is_same_to_readers(page: bytes, answer: bytes) -> bool:
    """Whether visitors read the same, and all that the page names is named still."""
    one, other = Reading.of(page), Reading.of(answer)
    same_text = (one.title, one.words) == (other.title, other.words)
    return same_text and not one.names - other.names


def is_altered(page: bytes, answer: bytes) -> bool:
    """Whether an answer has all that the page has, and was altered or added to."""
    one, other = Reading.of(page), Reading.of(answer)
    has_all = not Counter(one.words) - Counter(other.words) and bool(one.words)
    return has_all and one.title == other.title and not one.names - other.names


def is_of_robbieblocks(body: bytes) -> bool:
    """Whether a document is a page that some RobbieBlocks made."""
    return _OURS in body
