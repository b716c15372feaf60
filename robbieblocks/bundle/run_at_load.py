"""Has browsers compile at once what a module runs at once.

V8 skims each function that it meets, and compiles it when it is called, on the page's main thread.
A function in parentheses it takes for one that is called at once, and compiles it in the
background while the file arrives (https://v8.dev/blog/preparser, "PIFEs"). esbuild puts CommonJS
files, such as React's, into functions that the module calls as soon as it runs: a slow phone would
compile React's for some 60 ms in which the page answers nobody.
"""

from __future__ import annotations

from typing import Final

from tree_sitter import Node

from robbieblocks.bundle.analysis.trees import tree

_DECLARATIONS: Final = frozenset({"variable_declaration", "lexical_declaration"})
_FUNCTIONS: Final = frozenset({"arrow_function", "function_expression"})


def compiled_at_once(module: bytes) -> bytes:
    """The module with the functions in parentheses that esbuild made of CommonJS files.

    They are the only argument of what a variable of the module is: `var a = wrapped(() => {...})`.
    Parentheses around a function alter nothing that it does. A module whose syntax can't be read
    stays as it is.
    """
    root = tree(module)
    if root.has_error:
        return module
    parts: list[bytes] = []
    done = 0
    for function in _wrapped_functions(root):
        start, end = function.start_byte, function.end_byte
        parts += [module[done:start], b"(", module[start:end], b")"]
        done = end
    return b"".join([*parts, module[done:]])


def _wrapped_functions(root: Node) -> list[Node]:
    declarators = [
        declarator
        for statement in root.named_children
        if statement.type in _DECLARATIONS
        for declarator in statement.named_children
    ]
    return [found for each in declarators if (found := _only_argument(each)) is not None]


def _only_argument(declarator: Node) -> Node | None:
    call = declarator.child_by_field_name("value")
    if call is None or call.type != "call_expression":
        return None
    arguments = call.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    return given[0] if len(given) == 1 and given[0].type in _FUNCTIONS else None
