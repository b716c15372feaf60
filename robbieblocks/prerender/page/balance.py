"""Whether HTML closes what it opens, and nothing else: browsers mend that without a word."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final, NamedTuple

# Elements without an end, and those whose end may be left out (HTML 13.1.2).
_VOID: Final = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source")
) | {"track", "wbr"}
_MAY_STAY_OPEN: Final = frozenset(
    ("li", "dt", "dd", "p", "rt", "rp", "optgroup", "option", "colgroup", "caption", "thead")
) | {"tbody", "tfoot", "tr", "td", "th", "html", "head", "body"}

_FOREIGN: Final = frozenset(("svg", "math"))


class Unbalanced(NamedTuple):
    """An element that is never closed, or, where `stray`, an end that closes nothing."""

    tag: str
    stray: bool

    @property
    def what(self) -> str:
        """What is wrong."""
        return f"</{self.tag}> closes nothing" if self.stray else f"<{self.tag}> is never closed"

    @property
    def remedy(self) -> str:
        """What to do."""
        return f"remove it, or add <{self.tag}>" if self.stray else f"add </{self.tag}>"


def unbalanced(html: str) -> Unbalanced | None:
    """The first element that is not closed, or end that closes nothing; None for sound HTML."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    left = (tag for tag in reversed(reader.opened) if tag not in _MAY_STAY_OPEN)
    return reader.fault or next((Unbalanced(tag, stray=False) for tag in left), None)


class _Reader(HTMLParser):
    """The elements that are open, and the first fault."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.fault: Unbalanced | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        del attrs
        if tag not in _VOID:
            self.opened.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Of SVG or MathML an element without an inside; of HTML it begins, as in a browser."""
        if tag not in _FOREIGN and _FOREIGN.isdisjoint(self.opened):
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if tag in _VOID or self.fault:
            return
        if tag not in self.opened:
            self.fault = Unbalanced(tag, stray=True)
            return
        while (last := self.opened.pop()) != tag:
            if last not in _MAY_STAY_OPEN:
                self.fault = self.fault or Unbalanced(last, stray=False)
