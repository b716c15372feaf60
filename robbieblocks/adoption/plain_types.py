"""Reads TypeScript types that JSON has values for, and makes JSON Schema of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tree_sitter import Node

from robbieblocks.adoption.literals import NotPlain, listed, literal
from robbieblocks.adoption.modules import SourceModules
from robbieblocks.adoption.syntax import text_of, walk
from robbieblocks.model import Json, JsonObject

DEEPEST: Final = 10
# Types that name each other multiply.
_MOST_TYPES: Final = 2_000
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


@dataclass(slots=True)
class ObjectType:
    """The properties of an object type that are plain, and what is said of the others."""

    properties: dict[str, Json] = field(default_factory=dict[str, Json])
    required: list[str] = field(default_factory=list[str])
    left_out: list[str] = field(default_factory=list[str])
    needed: list[str] = field(default_factory=list[str])

    def take(self, other: ObjectType) -> None:
        """Add the properties of a type that this one extends."""
        self.properties = {**other.properties, **self.properties}
        self.required = list(dict.fromkeys((*other.required, *self.required)))
        self.left_out += other.left_out
        self.needed += other.needed

    def schema(self) -> JsonObject:
        """As JSON Schema. Raises NotPlain where a property must be there that JSON can't give."""
        if self.needed:
            raise NotPlain(f"{', '.join(self.needed)} can't be given as JSON")
        required: JsonObject = {"required": sorted(self.required)} if self.required else {}
        return {"type": "object", "properties": self.properties, **required}


def type_arguments(node: Node) -> list[Node]:
    """What stands in angle brackets behind a type or a call."""
    found = node.child_by_field_name("type_arguments")
    return found.named_children if found is not None else []


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
        """An object type. Raises NotPlain for what is none."""
        if depth < 0:
            raise NotPlain("the type nests too deep")
        if node.type in _TRANSPARENT:
            return self.object_of(node.named_children[0], path, depth - 1)
        if node.type in ("object_type", "interface_body"):
            return self._members(node, path, depth)
        if node.type == "intersection_type":
            found = ObjectType()
            for part in node.named_children:
                found.take(self._part(part, path, depth))
            return found
        if node.type == "generic_type":
            return self._generic(node, path, depth)
        declared = self._declaration(text_of(node), path)
        if declared is None:
            raise NotPlain(f"the type {text_of(node)[:60]} is not plain")
        return self._declared_object(*declared, depth - 1)

    def schema_of(self, node: Node, path: str, depth: int) -> JsonObject:
        """Any type. Raises NotPlain."""
        self._left -= 1
        if depth < 0 or self._left < 0:
            raise NotPlain("the type nests too deep")
        match node.type:
            case "parenthesized_type" | "readonly_type":
                return self.schema_of(node.named_children[0], path, depth - 1)
            case "literal_type":
                return {"enum": [literal(node.named_children[0])]}
            case "union_type":
                return self._union(node, path, depth)
            case "array_type":
                return _array(self.schema_of(node.named_children[0], path, depth - 1))
            case "lookup_type" | "index_type_query":
                return {"enum": self._listed(node, path)}
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
                return _array(self.schema_of(inner[0], path, depth - 1))
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

    def _listed(self, node: Node, path: str) -> list[Json]:
        """The values of `(typeof X)[number]` or `keyof typeof X`, where X is written down."""
        names = [each.named_children[0] for each in walk(node) if each.type == "type_query"]
        declared = self._declaration(text_of(names[0]), path) if names else None
        if declared is None:
            raise NotPlain(f"the type {text_of(node)[:60]} is not plain")
        value = declared[0].child_by_field_name("value")
        return listed(value, keys=node.type == "index_type_query")

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
                for part in clause.named_children:
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
            found.required = []
        elif name == "Required":
            found.required = sorted(found.properties)
        elif name == "PropsWithChildren":
            found.properties["children"] = {"type": "string"}
        return found

    def _members(self, node: Node, path: str, depth: int) -> ObjectType:
        found = ObjectType()
        for member in node.named_children:
            if member.type in ("comment", "index_signature"):
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
        return self.schema_of(annotation.named_children[0], path, depth - 1)

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
        return _any_of(schemas)

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


def _check_plain(node: Node) -> None:
    if node.child_by_field_name("type_parameters") is not None:
        raise NotPlain(f"{text_of(node.child_by_field_name('name'))} is a generic type")


def _parts(node: Node) -> Iterator[Node]:
    pending = [node]
    while pending:
        each = pending.pop()
        if each.type == "union_type":
            pending.extend(
                reversed([part for part in each.named_children if part.type != "comment"])
            )
        else:
            yield each


def _any_of(schemas: list[JsonObject]) -> JsonObject:
    """One schema for values of any of these; literals become one list."""
    values: list[Json] = []
    others: list[JsonObject] = []
    for schema in schemas:
        enum = schema.get("enum")
        if isinstance(enum, list):
            values += enum
        elif schema not in others:
            others.append(schema)
    if values:
        others.insert(0, {"enum": values})
    return others[0] if len(others) == 1 else {"anyOf": list(others)}


def _may_be_undefined(annotation: Node | None) -> bool:
    if annotation is None or not annotation.named_children:
        return False
    return any(text_of(part) == "undefined" for part in _parts(annotation.named_children[0]))


def _array(items: JsonObject) -> JsonObject:
    return {"type": "array", "items": items}


def _enum_values(node: Node) -> list[Json]:
    body = node.child_by_field_name("body")
    members = body.named_children if body is not None else []
    values = [member.child_by_field_name("value") for member in members]
    if not values or any(value is None for value in values):
        raise NotPlain("an enum without values")
    return [literal(value) for value in values if value is not None]
