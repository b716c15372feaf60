# What the package uses of tinycss2. The library publishes no types. A node's kind is in its `type`,
# by which a checker can't narrow one class, so what only some kinds have is declared here for all.
from typing import Any

class Node:
    type: str
    source_line: int
    source_column: int
    value: Any
    lower_value: str
    name: str
    lower_name: str
    at_keyword: str
    lower_at_keyword: str
    important: bool
    is_identifier: bool
    arguments: list[Node]
    content: Any
    prelude: list[Node]
    representation: str
    lower_unit: str
    kind: str
    message: str
    def serialize(self) -> str: ...

class QualifiedRule(Node):
    content: list[Node]

class AtRule(Node):
    content: list[Node] | None

class Declaration(Node):
    value: list[Node]

class IdentToken(Node):
    value: str
    def __init__(self, line: int, column: int, value: str) -> None: ...

class URLToken(Node):
    value: str
