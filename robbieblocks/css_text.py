"""Rules for CSS that comes from rows: addresses it may name, custom properties, tokens, texts.

Branding and bundling both apply them, so that there is one rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tinycss2.ast import Node

from robbieblocks.messages import printable

# Functions whose strings are addresses (CSS Values and Images).
_FETCHING_FUNCTIONS: Final = frozenset(
    {"url", "src", "image", "image-set", "-webkit-image-set", "cross-fade", "-webkit-cross-fade"}
)
# Functions that another text takes the place of, which may be an address. So do those named --x.
_SUBSTITUTIONS: Final = frozenset({"var", "env", "attr", "if", "inherit", "first-valid", "toggle"})
# Browsers drop tabs and line breaks in an address, and read `\` as `/`: `/\t/host` is another host.
_LOCAL_URL: Final = re.compile(
    r"#[^\s\x00-\x1f]*|/(?![/\\])[^\s\x00-\x1f\\]*|data:(?:image|font)/[a-z0-9_.+-]+[;,].*",
    re.IGNORECASE | re.DOTALL,
)
# Python reads no integer of more than 4,300 digits, and no browser one of more than 20 exactly.
_LONG_NUMBER: Final = re.compile(r"[0-9]{1000,}")
# A token's name in a value, `{color.primary}`. What may hold braces of its own comes first.
_NAMED_TOKEN: Final = re.compile(
    r"""\\.|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\([^()"']*\)"""
    r"""|\{[ \t]*([A-Za-z0-9._-]+)[ \t]*\}""",
    re.IGNORECASE | re.DOTALL,
)
_BRACKETS: Final = re.compile(
    r"/\*.*?(?:\*/|(?P<open_comment>\Z))"
    r"|\\(?:\r\n|.)"
    r"|\"(?:[^\"\\\n]|\\.)*(?:\"|(?P<open_double>\n|\Z))"
    r"|'(?:[^'\\\n]|\\.)*(?:'|(?P<open_single>\n|\Z))"
    r"|url\(\s*(?![\s\"'])(?:[^)\\]|\\.)*(?:\)|(?P<open_url>\Z))"
    r"|(?P<bracket>[][(){}])",
    re.DOTALL | re.IGNORECASE,
)
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_OPEN: Final = {
    "open_comment": "comment",
    "open_double": "string",
    "open_single": "string",
    "open_url": "url(",
}
_MAX_DEPTH: Final = 32
# What the URL standard removes from both ends of an address.
_STRIPPED: Final = "".join(map(chr, range(0x21)))


def long_number(css: str) -> re.Match[str] | None:
    """The first number that is too long for any parser, if there is one."""
    return _LONG_NUMBER.search(css)


def is_local_url(url: str) -> bool:
    """Whether an address stays on this site: a path, a fragment, or a data: image or font."""
    return _LOCAL_URL.fullmatch(url.strip(_STRIPPED)) is not None


def foreign_urls(nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes, at any depth, that are an address that is not local, or may become one.

    In a function that fetches, `var(--x)` stands for any text (`image-set(var(--x) 1x)`).
    """
    for node in walk(nodes):
        if node.type == "url" and not is_local_url(node.value):
            yield node
        elif node.type == "function" and node.lower_name in _FETCHING_FUNCTIONS:
            yield from (each for each in _addresses(node.arguments) if _may_be_foreign(each))


def address_text(node: Node) -> str:
    """What `foreign_urls` found, for messages."""
    text: str = node.serialize() if node.type == "function" else node.value
    return text


def missing_media(address: str) -> tuple[str, str] | None:
    """What is wrong with `media:<key>` that no address took the place of, and what to do."""
    if not address.lower().startswith("media:"):
        return None
    what = f"there is no {printable(address[:100])} that can be shown"
    return what, "put its file into content/media/ and import it"


def _addresses(nodes: Iterable[Node]) -> Iterator[Node]:
    """What may be an address in a function that fetches; other functions in it have their own."""
    for node in nodes:
        if node.type == "string" or (node.type == "function" and _is_substitution(node)):
            yield node
        elif node.type == "() block":
            yield from _addresses(node.content)


def _may_be_foreign(node: Node) -> bool:
    return node.type == "function" or not is_local_url(node.value)


def _is_substitution(node: Node) -> bool:
    return node.lower_name in _SUBSTITUTIONS or node.name.startswith("--")


def walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """All nodes of a list of component values, those inside blocks and functions included."""
    pending = list(nodes)[::-1]
    while pending:
        node = pending.pop()
        yield node
        pending += reversed(inner_nodes(node))


def inner_nodes(node: Node) -> list[Node]:
    """The nodes directly inside of a block or function."""
    if node.type == "function":
        return node.arguments
    return node.content if node.type in ("() block", "[] block", "{} block") else []


def by_comma(nodes: Iterable[Node]) -> list[list[Node]]:
    """The parts of a list that commas separate."""
    parts: list[list[Node]] = [[]]
    for node in nodes:
        if node.type == "literal" and node.value == ",":
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def property_name(token_key: str) -> str:
    """The custom property of a token: `color.primary` is `--color-primary`."""
    return "--" + token_key.replace(".", "-").replace("_", "-")


def named_tokens(value: str) -> tuple[str, ...]:
    """The keys of the tokens that a token's value names, as `{key}`, each once."""
    if "{" not in value:
        return ()
    return tuple(dict.fromkeys(each[1] for each in _NAMED_TOKEN.finditer(value) if each[1]))


def with_tokens(value: str, texts: Mapping[str, str]) -> str:
    """A token's value with the text of each token in place of its name."""
    return _NAMED_TOKEN.sub(lambda each: texts[each[1]] if each[1] else each[0], value)


def css_string(text: str) -> str:
    """A text as a CSS string (CSSOM, serialize a string) that is safe inside `<style>` too."""
    return '"' + "".join(map(_in_string, text)) + '"'


def _in_string(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    escaped = ord(character) < 0x20 or character in "<>\x7f"
    return f"\\{ord(character):x} " if escaped else character


def bracket_problem(css: str) -> tuple[str, int] | None:
    """The bracket, string or comment that is never closed or opened, and its offset; or None.

    Browsers close at the end of a stylesheet what is still open, without an error; an editor needs
    one.
    """
    opened: list[tuple[str, int]] = []
    for match in _BRACKETS.finditer(css):
        if match.lastgroup is None:
            continue
        if match.lastgroup in _OPEN:
            return f"this {_OPEN[match.lastgroup]} is never closed", match.start()
        bracket = match[0]
        if bracket not in _PAIRS:
            opened.append((bracket, match.start()))
            if len(opened) > _MAX_DEPTH:
                return f"brackets are nested more than {_MAX_DEPTH} deep", match.start()
        elif not opened:
            return f"this {bracket} closes nothing", match.start()
        elif (last := opened.pop())[0] != _PAIRS[bracket]:
            return f"this {last[0]} is closed by a {bracket}", last[1]
    if opened:
        return f"this {opened[-1][0]} is never closed", opened[-1][1]
    return None
