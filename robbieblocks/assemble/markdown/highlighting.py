"""Code as HTML whose parts have classes: `<span class="hl-keyword">def</span>`."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Literal, Name, Operator

if TYPE_CHECKING:
    from pygments.token import TokenType

# What is longer is shown without colours.
MAX_CHARACTERS: Final = 20_000
MAX_LINE: Final = 1_000
# The languages, and their names in Pygments. Its lexers are regular expressions that may backtrack,
# so there are those alone that hostile code does not slow down (those of C and Java take quadratic
# time for blank lines), and none that calls any other.
_OWN_NAMES: Final = (
    *("bash", "css", "diff", "docker", "go", "html", "ini", "javascript", "json", "python"),
    *("rust", "sql", "toml", "typescript", "xml", "yaml"),
)
LANGUAGES: Final = {
    **{name: name for name in _OWN_NAMES},
    "console": "bash",
    "dockerfile": "docker",
    "js": "javascript",
    "jsx": "javascript",
    "py": "python",
    "rs": "rust",
    "sh": "bash",
    "shell": "bash",
    "svg": "xml",
    "ts": "typescript",
    "tsx": "typescript",
    "yml": "yaml",
}
_CLASSES: Final = {
    Comment: "comment",
    Comment.Preproc: "keyword",
    Generic.Deleted: "deleted",
    Generic.Heading: "name",
    Generic.Inserted: "inserted",
    Generic.Output: "comment",
    Generic.Prompt: "comment",
    Generic.Subheading: "name",
    Keyword: "keyword",
    Literal.Date: "number",
    Literal.Number: "number",
    Literal.String: "string",
    Name.Attribute: "name",
    Name.Builtin: "name",
    Name.Class: "name",
    Name.Decorator: "name",
    Name.Function: "name",
    Name.Tag: "name",
    Operator.Word: "keyword",
}


def highlighted(code: str, language: str) -> str:
    """The HTML of a code; of a long one, or one in no known language, its text alone."""
    known = LANGUAGES.get(language.lower())
    if known is None or len(code) > MAX_CHARACTERS or max(map(len, code.split("\n"))) > MAX_LINE:
        return escape(code)
    tokens = get_lexer_by_name(known, stripnl=False).get_tokens(code)
    parts: list[str] = []
    for name, group in groupby(tokens, lambda token: _class_of(token[0])):
        text = escape("".join(text for _, text in group))
        parts.append(f'<span class="hl-{name}">{text}</span>' if name else text)
    return "".join(parts)


def _class_of(kind: TokenType | None) -> str:
    """The class of a token; empty where neither it nor a kind above it has one."""
    while kind is not None and kind not in _CLASSES:
        kind = kind.parent
    return "" if kind is None else _CLASSES[kind]
