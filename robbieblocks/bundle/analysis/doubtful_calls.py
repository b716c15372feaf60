"""Finds calls, directives and exports that do something else than they seem to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from tree_sitter import Node, QueryCursor

from robbieblocks.bundle.analysis.queries import query, text_of
from robbieblocks.bundle.analysis.syntax import DoubtfulCode, Syntax
from robbieblocks.bundle.analysis.trees import tree

_DATA: Final = "give the data as props of the block, or load it in useEffect"
_HEAD: Final = "leave it out: the page's title, description and metadata make its head"
_ROUTE: Final = "leave it out: each page is a row with its route"
_BUILT: Final = "leave it out: a page is built when a row of it changes"
# What other frameworks call beside a page's default export, and nobody here.
_CALLED_ELSEWHERE: Final = {
    "getServerSideProps": ("Next", _DATA),
    "getStaticProps": ("Next", _DATA),
    "getStaticPaths": ("Next", _ROUTE),
    "generateStaticParams": ("Next", _ROUTE),
    "generateMetadata": ("Next", _HEAD),
    "metadata": ("Next", _HEAD),
    "viewport": ("Next", _HEAD),
    **dict.fromkeys(("revalidate", "dynamicParams", "fetchCache", "runtime"), ("Next", _BUILT)),
    **dict.fromkeys(("loader", "clientLoader"), ("Remix", _DATA)),
}
_CALLED: Final = """[(identifier) @_called
      (member_expression property: (property_identifier) @_called)]"""

_FUNCTIONS: Final = frozenset(
    {"arrow_function", "function_declaration", "function_expression", "generator_function"}
    | {"generator_function_declaration", "method_definition", "class_static_block"}
)
_REFUSED: Final = """
    (call_expression function: (identifier) @eval (#match? @eval "^(eval|Function)$"))
    (new_expression constructor: (identifier) @eval (#eq? @eval "Function"))
    (call_expression function: (identifier) @eval (#match? @eval "^set(Timeout|Interval)$")
      arguments: (arguments . [(string) (template_string)]))
    (call_expression function: (member_expression object: (identifier) @_document
        property: (property_identifier) @_create)
      arguments: (arguments . (string (string_fragment) @made))
      (#eq? @_document "document") (#eq? @_create "createElement") (#eq? @made "style"))
    (call_expression function: (member_expression object: (identifier) @_document
      property: (property_identifier) @write)
      (#eq? @_document "document") (#match? @write "^write(ln)?$"))
"""
PATTERNS: Final = f"""{_REFUSED}
    (export_statement declaration: (function_declaration name: (identifier) @export))
    (export_statement declaration: (lexical_declaration
      (variable_declarator name: (identifier) @export)))
    (variable_declarator name: (object_pattern) @state value: (call_expression function: {_CALLED})
      (#match? @_called "^use(State|Reducer|ActionState|Optimistic|Transition)$"))
    (call_expression function: {_CALLED}
      arguments: (arguments . [(arrow_function "async") (function_expression "async")] @effect)
      (#match? @_called "^use(Layout|Insertion)?Effect$"))
    (expression_statement (string (string_fragment) @server (#eq? @server "use server")))
"""


def in_calls(found: dict[str, list[Node]], syntax: Syntax) -> Iterator[DoubtfulCode]:
    """Doubts about calls, directives and exports, by what the patterns found."""
    # Beside a component: a module's exports are for others.
    for node in found.get("export", ()) if "default" in syntax.exports else ():
        if (other := _CALLED_ELSEWHERE.get(text_of(node))) is not None:
            what = f"nobody asks for {text_of(node)}: it is {other[0]}'s"
            yield DoubtfulCode(node.start_byte, what, other[1])
    for node in found.get("state", ()):
        what = "the hook gives a list: of an object nothing is there"
        yield DoubtfulCode(node.start_byte, what, "write const [it, setIt] = ...")
    for node in found.get("effect", ()):
        what = "an async effect gives a promise, which React calls to end it: that fails"
        remedy = "write an async function inside of the effect, and call it"
        yield DoubtfulCode(node.start_byte, what, remedy)
    yield from _refused(found, syntax.top_level)
    for node in found.get("server", ()):
        what = 'no page has a server: a function with "use server" runs in the browser'
        remedy = "send what it needs to an address with fetch, or leave the line out"
        yield DoubtfulCode(node.start_byte - 1, what, remedy)


def doubtful_script(code: str) -> list[DoubtfulCode]:
    """What a script that is no component asks for, and no browser does on a page, in order."""
    root = tree(code.encode("utf-8", "replace"))
    return sorted(_refused(QueryCursor(query(_REFUSED)).captures(root), ()))


def outer_return(code: str) -> int | None:
    """Where a script has a `return` that stands in no function, in UTF-8 bytes; None without."""
    root = tree(code.encode("utf-8", "replace"))
    found = QueryCursor(query("(return_statement) @return")).captures(root).get("return", ())
    return min((node.start_byte for node in found if not _is_inside(node)), default=None)


def _is_inside(node: Node) -> bool:
    around = node.parent
    while around is not None and around.type not in _FUNCTIONS:
        around = around.parent
    return around is not None


def _refused(found: dict[str, list[Node]], declared: Collection[str]) -> Iterator[DoubtfulCode]:
    for node in found.get("eval", ()):
        name = text_of(node)
        if name not in declared:
            what = f"{name} makes code of a text here, which the page's security policy refuses"
            yield DoubtfulCode(node.start_byte, what, "write the code out, in a function")
    for node in found.get("made", ()):
        what = "the page's security policy refuses styles that a script makes"
        remedy = "put the CSS into css_styles, or into document.adoptedStyleSheets"
        yield DoubtfulCode(node.start_byte, what, remedy)
    for node in found.get("write", ()):
        what = f"document.{text_of(node)} writes nothing, or takes the whole page away"
        remedy = "show it as a block; a script can make elements and append them"
        yield DoubtfulCode(node.start_byte, what, remedy)
