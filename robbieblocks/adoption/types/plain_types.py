"""Reads TypeScript types that JSON has values for, and makes JSON Schema of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tree_sitter import Node

from robbieblocks.adoption.sources.modules import SourceModules
from robbieblocks.adoption.sources.syntax import parts_of, text_of
from robbieblocks.adoption.types.literals import NotPlain, TooManyTypes, literal, members
from robbieblocks.adoption.types.schemas import ObjectType, any_of, array_of, kind_of
from robbieblocks.model import Json, JsonObject

DEEPEST: Final = 10
# Types that name each other multiply.
_MOST_TYPES: Final = 5_000
_PLAIN: Final[dict[str, JsonObject]] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "any": {},
    "unknown": {},
    # What React shows may be a text.
    "ReactNode": {"type": "string"},
    "ReactChild": {"type": "string"},
    "CSSProperties": {"type": "object"},
}
_TRANSPARENT: Final = ("parenthesized_type", "readonly_type")


def type_arguments(node: Node) -> list[Node]:
    """What stands in angle brackets behind a type or a call."""
    return parts_of(node.child_by_field_name("type_arguments"))


def last_name(node: Node) -> str:
    """`FC` of `FC`, `React.FC` and `React.FC<P>`."""
    name = node.child_by_field_name("name") if node.type == "generic_type" else node
    return text_of(name).rpartition(".")[2]


class TypeReader:
    """Reads types, those of other files too."""

    def __init__(self, modules: SourceModules) -> None:
        self._modules = modules
        self._left = _MOST_TYPES

    def object_of(self, node: Node, path: str, depth: int) -> ObjectType:
        """An object type. Raises NotPlain for what is none, and TooManyTypes."""
        self._count(depth)
        if node.type in _TRANSPARENT:
            return self.object_of(_only(node), path, depth - 1)
        if node.type in ("object_type", "interface_body"):
            return self._members(node, path, depth)
        if node.type == "intersection_type":
            found = ObjectType()
            for part in _parts(node):
                found.take(self._part(part, path, depth))
            return found
        if node.type == "generic_type":
            return self._generic(node, path, depth)
        declared = self._declaration(text_of(node), path)
        if declared is None:
            raise NotPlain(f"the type {text_of(node)[:60]} is not plain")
        return self._declared_object(*declared, depth - 1)

    def _count(self, depth: int) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooManyTypes
        if depth < 0:
            raise NotPlain("the type nests too deep")

    def schema_of(self, node: Node, path: str, depth: int) -> JsonObject:
        """Any type. Raises NotPlain and TooManyTypes."""
        self._count(depth)
        match node.type:
            case "parenthesized_type" | "readonly_type":
                return self.schema_of(_only(node), path, depth - 1)
            case "literal_type":
                return {"enum": [literal(_only(node))]}
            case "union_type":
                return self._union(node, path, depth)
            case "array_type":
                return array_of(self.schema_of(_only(node), path, depth - 1))
            case "index_type_query":
                names: list[Json] = [*self._written(node, path)[0]]
                return {"enum": names}
            case "lookup_type":
                return self._looked_up(node, path)
            case "template_literal_type":
                return {"type": "string"}
            case "object_type" | "intersection_type":
                return self.object_of(node, path, depth).schema()
            case _:
                return self._named(node, path, depth)

    def _named(self, node: Node, path: str, depth: int) -> JsonObject:
        name = last_name(node)
        if node.type == "generic_type":
            inner = type_arguments(node)
            if name in ("Array", "ReadonlyArray") and inner:
                return array_of(self.schema_of(inner[0], path, depth - 1))
            if name == "Record" and len(inner) == 2:
                values = self.schema_of(inner[1], path, depth - 1)
                return {"type": "object", "additionalProperties": values}
            return self.object_of(node, path, depth).schema()
        declared = self._declaration(name, path)
        if declared is None:
            if name in _PLAIN:
                return dict(_PLAIN[name])
            raise NotPlain(f"the type {text_of(node)[:60]} is not plain")
        found, place = declared
        if found.type == "enum_declaration":
            return {"enum": _enum_values(found)}
        value = found.child_by_field_name("value")
        if found.type == "type_alias_declaration" and value is not None:
            _check_plain(found)
            return self.schema_of(value, place, depth - 1)
        return self._declared_object(found, place, depth - 1).schema()

    def _looked_up(self, node: Node, path: str) -> JsonObject:
        """The values of `(typeof X)[number]`, `[keyof typeof X]` or `["name"]`.

        Without `as const` they are what they are now, and the type is only their kind.
        """
        value, index = parts_of(node)[:2]
        found, is_const = self._written(value, path)
        wanted = list(found)
        if index.type == "literal_type":
            wanted = [name for name in found if name == str(literal(_only(index)))]
        elif text_of(index) != "number" and index.type != "index_type_query":
            wanted = []
        values = [literal(found[name]) for name in wanted]
        if not values:
            raise NotPlain(f"the type {text_of(node)[:60]} is not plain")
        if is_const:
            return {"enum": values}
        return any_of([{"type": kind_of(each)} for each in values])

    def _written(self, node: Node, path: str) -> tuple[dict[str, Node], bool]:
        """The members of X of `typeof X`, where they are written down."""
        while node.type in (*_TRANSPARENT, "index_type_query"):
            node = _only(node)
        name = text_of(_only(node)) if node.type == "type_query" else ""
        declared = self._declaration(name, path) if name else None
        if declared is None:
            raise NotPlain(f"the type {text_of(node)[:60]} is not plain")
        return members(declared[0].child_by_field_name("value"))

    def _declared_object(self, node: Node, path: str, depth: int) -> ObjectType:
        _check_plain(node)
        value = node.child_by_field_name("value")
        if node.type == "type_alias_declaration" and value is not None:
            return self.object_of(value, path, depth)
        body = node.child_by_field_name("body")
        if node.type != "interface_declaration" or body is None:
            raise NotPlain(f"{text_of(node.child_by_field_name('name'))} is no plain type")
        found = self._members(body, path, depth)
        for clause in node.named_children:
            if clause.type == "extends_type_clause":
                for part in parts_of(clause):
                    found.take(self._part(part, path, depth))
        return found

    def _part(self, node: Node, path: str, depth: int) -> ObjectType:
        """A type that another one extends; what comes from packages stands open."""
        try:
            return self.object_of(node, path, depth)
        except NotPlain:
            return ObjectType(left_out=[f"those of {text_of(node)[:60]}"])

    def _generic(self, node: Node, path: str, depth: int) -> ObjectType:
        name, arguments = last_name(node), type_arguments(node)
        if not arguments or name not in ("Partial", "Readonly", "Required", "PropsWithChildren"):
            raise NotPlain(f"the type {text_of(node)[:60]} is not plain")
        found = self.object_of(arguments[0], path, depth - 1)
        if name == "Partial":
            found.left_out, found.needed = [*found.left_out, *found.needed], []
            found.required = []
        elif name == "Required":
            found.left_out, found.needed = [], [*found.left_out, *found.needed]
            found.required = sorted(found.properties)
        elif name == "PropsWithChildren":
            found.properties["children"] = {"type": "string"}
        return found

    def _members(self, node: Node, path: str, depth: int) -> ObjectType:
        found = ObjectType()
        for member in parts_of(node):
            if member.type == "index_signature":
                continue
            name = text_of(member.child_by_field_name("name")).strip("\"'")
            optional = any(child.type == "?" for child in member.children)
            annotation = member.child_by_field_name("type")
            try:
                found.properties[name] = self._member(member, path, depth)
            except NotPlain:
                if not name or optional or _may_be_undefined(annotation):
                    found.left_out.append(name or "others")
                else:
                    found.needed.append(name)
                continue
            if not optional and not _may_be_undefined(annotation):
                found.required.append(name)
        return found

    def _member(self, member: Node, path: str, depth: int) -> JsonObject:
        annotation = member.child_by_field_name("type")
        if member.type != "property_signature" or annotation is None:
            raise NotPlain("it is a method")
        return self.schema_of(_only(annotation), path, depth - 1)

    def _union(self, node: Node, path: str, depth: int) -> JsonObject:
        """Any of several types; those that JSON has no values for don't count."""
        schemas: list[JsonObject] = []
        reasons: list[NotPlain] = []
        for part in _parts(node):
            if text_of(part) == "undefined":
                continue
            try:
                schemas.append(self.schema_of(part, path, depth - 1))
            except NotPlain as error:
                reasons.append(error)
        if not schemas:
            raise reasons[0] if reasons else NotPlain("a union of nothing")
        return any_of(schemas)

    def _declaration(self, name: str, path: str) -> tuple[Node, str] | None:
        """The declaration of a type, in this file or in the one that it is imported from."""
        tree = self._modules.trees.get(path)
        if tree is None:
            return None
        if name in tree.declared:
            return tree.declared[name], path
        for link in tree.links:
            for each in link.names if link.kind == "import" else ():
                if each.local == name:
                    target = self._modules.resolve(path, link.specifier)
                    if target not in self._modules.trees:
                        return None
                    file, imported = self._modules.origin(target, each.imported)
                    there = self._modules.trees[file]
                    local = there.exports.get(imported) or imported
                    found = there.declared.get(local)
                    return None if found is None else (found, file)
        return None


def _only(node: Node) -> Node:
    """The first part of a type. Raises NotPlain where it has none, as a broken one may not."""
    inner = parts_of(node)
    if not inner:
        raise NotPlain(f"the type {text_of(node)[:60]} is not plain")
    return inner[0]


def _check_plain(node: Node) -> None:
    if node.child_by_field_name("type_parameters") is not None:
        raise NotPlain(f"{text_of(node.child_by_field_name('name'))} is a generic type")


def _parts(node: Node) -> Iterator[Node]:
    """The parts of a union or of an intersection, which nests as many levels as it has parts."""
    pending = [node]
    while pending:
        each = pending.pop()
        if each.type == node.type and each.type in ("union_type", "intersection_type"):
            pending.extend(reversed(parts_of(each)))
        else:
            yield each


def _may_be_undefined(annotation: Node | None) -> bool:
    inner = parts_of(annotation)
    return bool(inner) and any(text_of(part) == "undefined" for part in _parts(inner[0]))


def _enum_values(node: Node) -> list[Json]:
    body = node.child_by_field_name("body")
    values = [member.child_by_field_name("value") for member in parts_of(body)]
    if not values or any(value is None for value in values):
        raise NotPlain("an enum without values")
    return [literal(value) for value in values if value is not None]
