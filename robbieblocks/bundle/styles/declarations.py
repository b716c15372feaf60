"""Writes a component's declarations again, with the names that are its own, and judges them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

import tinycss2
from tinycss2.ast import Declaration, IdentToken, Node

from robbieblocks.bundle.styles.global_names import GlobalNames
from robbieblocks.bundle.styles.problems import StylesheetProblems
from robbieblocks.css_faults import in_declaration, unknown_keyframes
from robbieblocks.css_text import address_text, foreign_urls, missing_media

# Tokens that hold no address, no error and no other tokens.
_PLAIN_TOKENS = frozenset(
    {"ident", "number", "percentage", "dimension", "hash", "whitespace", "literal", "comment"}
)


class Declarations:
    """Writes declarations; what is wrong with them goes to `problems`."""

    def __init__(self, names: GlobalNames, problems: StylesheetProblems) -> None:
        self._names = names
        self._problems = problems
        self._asking = 0

    @contextmanager
    def asked_for(self, *, asked: bool) -> Generator[None]:
        """Within it, where it is `asked`, what browsers do not know is warned of no more."""
        self._asking += asked
        try:
            yield
        finally:
            self._asking -= asked

    def doubt(self, each: Declaration) -> None:
        """Warn of what browsers pass over."""
        if self._problems.full or self._asking:
            return
        for doubt in in_declaration(each):
            self._problems.warn(doubt)
        # Templates and nodes have keyframes, too.
        for doubt in unknown_keyframes(each, self._names.keyframes, surely=False):
            self._problems.warn(doubt, "unknown-keyframes")

    def texts(self, content: Sequence[Node], *, doubted: bool = False) -> str:
        """All declarations of a block, in which nothing else may stand."""
        found = tinycss2.parse_blocks_contents(content, True, True)
        said = [each for each in found if isinstance(each, Declaration)]
        for each in found:
            if each.type == "error":
                self._problems.unreadable(each, "mend the declaration, or remove it")
            elif each.type != "declaration":
                what = "a rule stands where declarations do"
                self._problems.at_node(each, what, "write declarations alone")
        for each in said if doubted else ():
            self.doubt(each)
        return "".join(map(self.text, said))

    def text(self, each: Declaration) -> str:
        """One declaration; empty where it has an error."""
        if not all(token.type in _PLAIN_TOKENS for token in each.value):
            self.check_urls(each.value)
            broken = next((token for token in each.value if token.type == "error"), None)
            if broken is not None:
                self._problems.unreadable(broken, "mend the value")
                return ""
        self._names.rename(each.value, each.lower_name)
        name = identifier(self._names.properties.get(each.name, each.name))
        important = "!important" if each.important else ""
        return f"{name}:{tinycss2.serialize(each.value).strip()}{important};"

    def check_urls(self, tokens: Iterable[Node]) -> None:
        """Report addresses on other sites, and media that are not there."""
        for token in foreign_urls(tokens):
            if missing := missing_media(address_text(token)):
                self._problems.at_node(token, *missing)
                continue
            self._problems.at_node(
                token,
                f"{address_text(token)[:80]!r} is elsewhere, or may be: a component's stylesheet "
                "fetches nothing",
                "use a path on this site, or an image as a data: URL",
            )


def identifier(name: str) -> str:
    """A name as CSS writes it, with escapes where it needs them."""
    return IdentToken(0, 0, name).serialize()
