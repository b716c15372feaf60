"""Reads one file of code: what it imports and exports, and its declarations, as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

TSX: Final = Language(tree_sitter_typescript.language_tsx())
_TS: Final = Language(tree_sitter_typescript.language_typescript())
_TYPES: Final = ("interface_declaration", "type_alias_declaration")
_VARIABLES: Final = ("lexical_declaration", "variable_declaration")
_QUIET: Final = ("comment", "empty_statement", "hash_bang_line")

Edit = tuple[int, int, bytes]
"""Bytes from an offset to before another one, and what takes their place."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a statement takes from another module, `default` and `*` among them."""

    imported: str
    local: str
    is_type: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A statement that names another module: `import`, `export ... from` or `export *`.

    Offsets are in bytes: `start` to `end` of the statement, `inner` of the specifier alone.
    `attributes` is where `with { ... }` stands, None where nothing does.
    """

    kind: Literal["import", "export", "star"]
    specifier: str
    start: int
    end: int
    inner: tuple[int, int]
    names: tuple[Name, ...] = ()
    is_type: bool = False
    attributes: tuple[int, int] | None = None


@dataclass(slots=True, kw_only=True)
class SyntaxTree:
    """A file's text and tree. `links` and `exports` are those of its top level.

    `exports` maps exported values to their local names (None: an expression, or from elsewhere),
    `types` holds exported types. `declared` maps names of the top level to their nodes: of
    functions, classes, variables (the declarator), types and enums. `default` is what is exported
    by default. A text that is `broken` has a syntax error.
    """

    text: bytes
    root: Node
    links: list[Link] = field(default_factory=list[Link])
    exports: dict[str, str | None] = field(default_factory=dict[str, str | None])
    types: set[str] = field(default_factory=set[str])
    declared: dict[str, Node] = field(default_factory=dict[str, Node])
    default: Node | None = None
    only_links: bool = True

    @property
    def broken(self) -> bool:
        """Whether it has a syntax error."""
        return self.root.has_error

    @property
    def is_barrel(self) -> bool:
        """Whether all that it does is to hand on what others export."""
        return self.only_links and bool(self.exports or self.types or self.stars)

    @property
    def imported(self) -> set[str]:
        """The names of the top level that come from elsewhere."""
        return {name.local for link in self.links if link.kind == "import" for name in link.names}

    @property
    def stars(self) -> list[Link]:
        """The modules of which it exports everything."""
        return [link for link in self.links if link.kind == "star"]

    def place(self, offset: int) -> tuple[int, int, str]:
        """Line and column (from 1) of a byte offset, and the text of that line."""
        before = self.text[:offset]
        line = before.count(b"\n")
        start = before.rfind(b"\n") + 1
        end = self.text.find(b"\n", offset)
        source = self.text[start : None if end < 0 else end].decode("utf-8", "replace")
        column = len(before[start:].decode("utf-8", "replace")) + 1
        return line + 1, column, source.rstrip("\r")


def text_of(node: Node | None) -> str:
    """A node's text; empty where there is no node."""
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")


def parts_of(node: Node | None) -> list[Node]:
    """What a node is made of, without comments, which may stand anywhere."""
    inner = [] if node is None else node.named_children
    return [each for each in inner if each.type != "comment"]


def walk(root: Node) -> Iterator[Node]:
    """All nodes of a tree, each before those inside of it, without recursion."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node.children))


def edited(text: bytes, edits: list[Edit]) -> bytes:
    """A text with edits that don't overlap."""
    parts: list[bytes] = []
    done = 0
    for start, end, replacement in sorted(edits):
        parts += (text[done:start], replacement)
        done = end
    return b"".join((*parts, text[done:]))


def parse(code: str, *, plain_ts: bool = False) -> SyntaxTree:
    """The tree of a text. Of `plain_ts` what TSX reads otherwise is written in its way."""
    text = code.encode("utf-8", "replace")
    # TSX reads some of it without an error, and otherwise than it is meant.
    if plain_ts and not (plain := Parser(_TS).parse(text).root_node).has_error:
        text = edited(text, list(_tsx_edits(plain)))
    root = Parser(TSX).parse(text).root_node
    tree = SyntaxTree(text=text, root=root)
    for statement in root.named_children:
        _statement(tree, statement)
    return tree


def _tsx_edits(root: Node) -> Iterator[Edit]:
    """`<T>(x: T) => x` becomes `<T,>(x: T) => x`, and `<T>x` becomes `(x as T)`."""
    for node in walk(root):
        if node.type == "arrow_function":
            parameters = node.child_by_field_name("type_parameters")
            if parameters is not None and len(parameters.named_children) == 1:
                end = parameters.named_children[0].end_byte
                yield end, end, b","
        elif node.type == "type_assertion" and len(node.named_children) == 2:
            type_, value = node.named_children
            inner = text_of(type_).removeprefix("<").removesuffix(">")
            yield node.start_byte, value.start_byte, b"("
            yield value.end_byte, value.end_byte, f" as {inner})".encode()


def _statement(tree: SyntaxTree, node: Node) -> None:
    source = node.child_by_field_name("source")
    if node.type == "import_statement":
        if source is not None:
            tree.links.append(_link(tree, node, source, "import", tuple(_imported(node))))
        return
    if node.type == "export_statement":
        _export(tree, node, source)
        return
    _declare(tree, node)
    inner = node.named_children[0].type if node.named_children else ""
    if node.type not in _QUIET and not (node.type == "expression_statement" and inner == "string"):
        tree.only_links = False


def _link(
    tree: SyntaxTree,
    node: Node,
    source: Node,
    kind: Literal["import", "export", "star"],
    names: tuple[Name, ...],
) -> Link:
    inner = source.start_byte + 1, source.end_byte - 1
    attributes = next((each for each in node.children if each.type == "import_attribute"), None)
    return Link(
        kind=kind,
        specifier=tree.text[inner[0] : inner[1]].decode("utf-8", "replace"),
        start=node.start_byte,
        end=node.end_byte,
        inner=inner,
        names=names,
        is_type=_is_type(node),
        attributes=None if attributes is None else (attributes.start_byte, attributes.end_byte),
    )


def _is_type(node: Node) -> bool:
    return any(child.type in ("type", "typeof") for child in node.children)


def _imported(node: Node) -> Iterator[Name]:
    clause = next((child for child in node.children if child.type == "import_clause"), None)
    for part in clause.named_children if clause is not None else ():
        if part.type == "identifier":
            yield Name("default", text_of(part))
        elif part.type == "namespace_import":
            yield Name("*", text_of(part.named_children[-1]))
        elif part.type == "named_imports":
            yield from _specifiers(part)


def _specifiers(part: Node) -> Iterator[Name]:
    for each in part.named_children:
        if each.type in ("import_specifier", "export_specifier"):
            name = text_of(each.child_by_field_name("name")).strip("\"'")
            alias = text_of(each.child_by_field_name("alias")).strip("\"'")
            yield Name(name, alias or name, _is_type(each))


def _export(tree: SyntaxTree, node: Node, source: Node | None) -> None:
    clause = next((child for child in node.children if child.type == "export_clause"), None)
    if source is None and clause is None:
        _export_own(tree, node)
        return
    names = tuple(_specifiers(clause)) if clause is not None else tuple(_namespace(node))
    if source is not None:
        kind: Literal["export", "star"] = "export" if names or clause is not None else "star"
        tree.links.append(_link(tree, node, source, kind, names))
    for name in names:
        if name.is_type or _is_type(node):
            tree.types.add(name.local)
        else:
            tree.exports[name.local] = name.imported if source is None else None


def _namespace(node: Node) -> Iterator[Name]:
    """The name of `export * as name from "x"`."""
    for child in node.children:
        if child.type == "namespace_export":
            yield Name("*", text_of(child.named_children[-1]))


def _export_own(tree: SyntaxTree, node: Node) -> None:
    tree.only_links = False
    declared = node.child_by_field_name("declaration")
    is_default = any(child.type == "default" for child in node.children)
    if is_default:
        tree.exports["default"] = None
        tree.default = declared or node.child_by_field_name("value")
    names = _declare(tree, declared) if declared is not None else []
    if declared is not None and declared.type in _TYPES:
        tree.types.update(names)
    elif not is_default:
        tree.exports.update((name, name) for name in names)


def _declare(tree: SyntaxTree, node: Node) -> list[str]:
    """Keep what a statement declares, and give its names."""
    found: dict[str, Node] = {}
    if node.type in _VARIABLES:
        for each in node.named_children:
            target = each.child_by_field_name("name")
            if each.type != "variable_declarator" or target is None:
                continue
            names = [target] if target.type == "identifier" else _bound(target)
            found.update((text_of(name), each) for name in names)
    elif (name := node.child_by_field_name("name")) is not None:
        found[text_of(name)] = node
    tree.declared.update(found)
    return list(found)


def _bound(pattern: Node) -> list[Node]:
    kinds = ("identifier", "shorthand_property_identifier_pattern")
    return [node for node in walk(pattern) if node.type in kinds]
