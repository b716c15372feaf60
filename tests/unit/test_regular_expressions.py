"""No text makes a regular expression of the package take more than steps for each character."""

from __future__ import annotations

import ast
import importlib
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import robbieblocks
from tests.regex_steps import StepCounter, worst_growth

PACKAGE = Path(robbieblocks.__file__).parent
# Where a text twice as long takes four times as many steps, and why that does no harm.
NOT_OF_PEOPLE = {
    "css_text._LONG_NUMBER": "looks a thousand characters ahead at most",
    "database.connect_errors": "what a driver says of its own address",
    "release.manifest._ASSET_TABLE": "a manifest is our own",
    "source_files.json_lines._PART": "valid JSON, whose texts end",
    "source_files.toml._AT_LINE": "what a parser says, in one line",
}
# Steps grow with the text, and what a text costs at its ends is told as growth as well.
LINEAR = 2.6


def expressions() -> Iterator[tuple[str, re.Pattern[str], str]]:
    """Each expression of the package, where it is, and how it is asked."""
    texts = {file: file.read_text() for file in sorted(PACKAGE.rglob("*.py"))}
    for file, text in texts.items():
        name = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.walk(ast.parse(text)) if "re." in text else ():
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="re"), attr=function),
                    args=[ast.Constant(value=str() as pattern), *_],
                ) if function != "compile":
                    yield f"{name}:{node.lineno}", re.compile(pattern), way({function})
                case _:
                    pass
        if "re.compile(" not in text or name.endswith("__main__"):
            continue
        module = importlib.import_module(f"robbieblocks.{name}".removesuffix(".__init__"))
        held: dict[str, object] = vars(module)
        for each, value in held.items():
            if isinstance(value, re.Pattern) and re.search(
                rf"^{each}\b.* = re", text, re.MULTILINE
            ):
                everywhere = text if each[0] == "_" else "\n".join(texts.values())
                asked = re.findall(rf"\b{each}\.(\w+)\(", everywhere)
                yield f"{name}.{each}", of_text(value), way({*asked})


def way(asked: set[str]) -> str:
    """How a text meets an expression: from its start alone, or from each character on."""
    (only,) = asked if len(asked) == 1 else ("search",)
    return only if only in ("match", "fullmatch") else "search"


def of_text(pattern: re.Pattern[str] | re.Pattern[bytes]) -> re.Pattern[str]:
    """An expression of bytes as one of text."""
    if isinstance(pattern.pattern, str):
        return re.compile(pattern.pattern, pattern.flags)
    return re.compile(pattern.pattern.decode("latin-1"), pattern.flags | re.ASCII)


def test_steps_grow_with_the_text() -> None:
    """Of each expression, with what its own parts suggest as its worst texts."""
    found = {where: worst_growth(pattern, asked) for where, pattern, asked in expressions()}
    steep = {
        where: (growth, text)
        for where, (growth, text) in found.items()
        if growth > LINEAR and not where.startswith(tuple(NOT_OF_PEOPLE))
    }
    assert not steep
    assert len(found) > 100


@pytest.mark.parametrize(
    ("pattern", "asked", "least", "most"),
    [
        ("(a+)+b", "search", 100.0, math.inf),
        (r",(?=\s*(?://[^\n]*\s*|/\*.*?\*/\s*)*[}\]])", "search", 100.0, math.inf),
        ("(?:a|aa)*b", "match", 100.0, math.inf),
        (r"\s*,?\s*b", "search", 5.0, math.inf),
        ("a.*b", "search", 3.0, 4.5),
        ("(a*)*+b", "search", 3.0, 4.5),
        ("(a*)*+b", "match", 0.0, LINEAR),
        ("a(?:b|c)*+d", "search", 0.0, LINEAR),
    ],
)
def test_what_takes_many_steps_is_known(
    pattern: str, asked: str, least: float, most: float
) -> None:
    """The count finds what takes steps without end, by the square, and by the character."""
    assert least <= worst_growth(re.compile(pattern), asked)[0] <= most


@given(
    st.sampled_from(
        [
            *("a*b|c", "(a|b)*?c(?=d)", r"\s*+x", r'"(?:[^"\\]|\\.)*"', "(?P<q>a|b)+(?P=q)$"),
            *("(?<!a)b", r"\bab\b", r"[^a-c\s]{2,3}d?", "(?i)Ab{2,}", "(?>a+)a", r"^\w+\Z"),
        ]
    ),
    st.text('abcdx"\\ \n', max_size=8),
    st.sampled_from(["search", "match", "fullmatch"]),
)
def test_the_count_matches_what_python_matches(pattern: str, text: str, asked: str) -> None:
    """It goes the engine's way, so it finds what the engine finds."""
    expression = re.compile(pattern)
    assert StepCounter(expression).matches(text, asked) == bool(getattr(expression, asked)(text))
