"""What is wrong with a props schema, and with props by it, as problems with a remedy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

import jsonschema_rs

from robbieblocks.assemble.props.schema import Schema
from robbieblocks.assemble.props.validation_cost import pattern_states
from robbieblocks.assemble.values import MAX_PROBLEMS, ValueProblem
from robbieblocks.messages import did_you_mean, json_pointer
from robbieblocks.model import Json

_LONGEST_MESSAGE = 300
# What keywords were in earlier drafts of JSON Schema.
_BY_KEYWORD = {
    "type": "write string, number, integer, boolean, object, array or null",
    "enum": 'write a list of the values: ["small", "large"]',
    "properties": 'write an object: {"title": {"type": "string"}}',
    "items": "write prefixItems for a list of schemas, one for each place",
    "exclusiveMinimum": 'write the number here: "exclusiveMinimum": 0',
    "exclusiveMaximum": 'write the number here: "exclusiveMaximum": 100',
    "required": 'write a list of names in the object\'s own schema: "required": ["title"]',
}
# What types are called elsewhere.
_TYPE_INSTEAD = {
    **dict.fromkeys(("int", "long"), "write integer"),
    **dict.fromkeys(("float", "double", "decimal"), "write number"),
    **dict.fromkeys(("str", "text", "textarea", "select"), "write string"),
    "string": "write string",
    "bool": "write boolean",
    **dict.fromkeys(("list", "tuple", "set"), "write array"),
    **dict.fromkeys(("dict", "map", "record"), "write object"),
    "date": 'write "type": "string", "format": "date"',
    **dict.fromkeys(("datetime", "timestamp"), 'write "type": "string", "format": "date-time"'),
    **dict.fromkeys(("url", "uri"), 'write "type": "string", "format": "uri-reference"'),
    **dict.fromkeys(("image", "file", "media"), 'write "type": "string", "format": "media"'),
    **dict.fromkeys(("markdown", "richtext"), 'write "type": "string", "format": "markdown"'),
    **dict.fromkeys(("any", "unknown", "mixed"), "leave type out: then any value fits"),
    **dict.fromkeys(("function", "func"), "leave it out: rows hold no functions"),
    **dict.fromkeys(("reactnode", "node", "element"), "write string, or format markdown"),
}
# Keywords that are texts, and that properties are often named like.
_TEXTS = frozenset({"title", "description", "format", "pattern", "$comment", "type"})
_CHOICES = (
    jsonschema_rs.ValidationErrorKind.AnyOf,
    jsonschema_rs.ValidationErrorKind.OneOfNotValid,
)


DEFAULT_FITTING = "write a default that fits, or give the block a value"
FITTING = "give the block a value that fits, or change the component's props_schema"


def unbounded(size: int) -> ValueProblem:
    """Props of `size` bytes that can't be checked within the bound on work."""
    return ValueProblem(
        "",
        f"checking {size:,} bytes of props, nested as they are, would take too long: "
        "the schema refers to itself, or to one schema, many times over, or has a long enum or "
        "pattern for many values",
        "make the schema simpler, or the props smaller",
    )


def described(error: jsonschema_rs.ValidationError, schema: Schema) -> ValueProblem:
    """A validator's error as a problem; the remedy suggests names that are similar."""
    remedy = FITTING
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        known = schema.get("properties")
        if isinstance(known, dict) and known and not error.instance_path:
            remedy = did_you_mean(kind.unexpected[0], known)
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Format):
        if kind.format in ("uri", "iri"):
            remedy = "write the full address, or let the schema say uri-reference"
    elif isinstance(kind, _CHOICES):
        remedy = _choices(kind.context) or remedy
    return ValueProblem(json_pointer(*error.instance_path), cut_short(error.message), remedy)


def _choices(context: list[list[jsonschema_rs.ValidationError]]) -> str:
    firsts = [cut_short(branch[0].message, 80) for branch in context[:3] if branch]
    return "either fails: " + "; ".join(firsts) if firsts else ""


def cut_short(message: str, longest: int = _LONGEST_MESSAGE) -> str:
    """A message on one line; the middle of a long one is left out."""
    line = " ".join(message.split())
    if len(line) <= longest:
        return line
    half = longest // 2
    return f"{line[:half]} … {line[-half:]}"


@lru_cache(maxsize=1)
def _metaschema() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {"$ref": "https://json-schema.org/draft/2020-12/schema"}, offline=True
    )


def faults_of_schema(schema: Schema) -> Iterator[ValueProblem]:
    """Where a schema is not JSON Schema 2020-12, and patterns that can't be used."""
    # The dialect names several parts of its schema, each of which finds some faults again.
    errors = islice(_metaschema().iter_errors(schema), MAX_PROBLEMS)
    yield from dict.fromkeys(map(_fault_of_schema, errors))
    for at, pattern in _patterns(schema, ""):
        if pattern_states(pattern) is None:
            yield ValueProblem(
                at,
                f"the pattern {cut_short(json.dumps(pattern), 100)} can't be used: it is wrong, "
                "big, or looks around or back (which can take for ever)",
                "write it without (?=, (?!, (?<= and \\1; two patterns can stand in allOf",
            )


def _fault_of_schema(error: jsonschema_rs.ValidationError) -> ValueProblem:
    keyword = str(error.instance_path[-1]) if error.instance_path else ""
    at, value, what = json_pointer(*error.instance_path), error.instance, cut_short(error.message)
    remedy = _BY_KEYWORD.get(keyword, "see JSON Schema 2020-12, or leave it out")
    if keyword == "type" and isinstance(value, str):
        what = f"{cut_short(json.dumps(value), 60)} is no type"
        remedy = _TYPE_INSTEAD.get(value.lower(), remedy)
    elif isinstance(value, dict) and keyword in _TEXTS:
        remedy = 'put the properties under "properties"'
    elif isinstance(value, str) and ("number" in what or "integer" in what):
        remedy = "write a number, without quotes"
    return ValueProblem(at, what, remedy)


def _patterns(value: Json, at: str) -> Iterator[tuple[str, str]]:
    """Every regular expression of a schema, with its pointer."""
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _patterns(part, at + json_pointer(index))
    elif isinstance(value, dict):
        for name, part in value.items():
            here = at + json_pointer(name)
            if name == "pattern" and isinstance(part, str):
                yield here, part
            if name == "patternProperties" and isinstance(part, dict):
                yield from ((here + json_pointer(key), key) for key in part)
            if name not in ("default", "enum", "const", "examples"):
                yield from _patterns(part, here)
