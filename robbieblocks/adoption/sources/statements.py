"""Import and export statements as text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from robbieblocks.adoption.sources.syntax import Link, Name

# Of a lazy component: its name, and the file and the name there that it comes from.
LAZY: Final = re.compile(
    r"const\s+(?P<name>\w+)\s*+=\s*+(?:React\.)?(?:lazy|dynamic)\(\s*+(?:async\s*+)?"
    r"\(\)\s*+=>\s*+import\(\s*+[\"'](?P<from>[^\"'\n]+)[\"']\s*+\)"
    r"(?:\s*+\.then\(\s*+\(?(?P<all>\w+)\)?\s*+=>\s*+"
    r"(?:\(\{\s*+default:\s*+(?P=all)\.(?P<part>\w+),?\s*+\}\)|(?P=all)\.(?P<short>\w+))\s*+\))?"
    r"\s*+,?\s*+(?:\{[^{}]*\}\s*+,?\s*+)?\)\s*+;?"
)


def statement(link: Link, names: Sequence[Name], specifier: str) -> str:
    """An import or export of these names, on one line."""
    word = f"{link.kind} type" if link.is_type else link.kind
    source = json.dumps(specifier)
    whole: list[str] = []
    named: list[str] = []
    # `import type A, { B }` is none.
    may_be_default = link.kind == "import" and not (link.is_type and len(names) > 1)
    for name in names:
        mark = "type " if name.is_type and not link.is_type else ""
        if name.imported == "*":
            whole.append(f"* as {quoted(name.local)}")
        elif name.imported == "default" and may_be_default and not whole and not mark:
            whole.append(name.local)
        elif name.imported == name.local:
            named.append(mark + quoted(name.local))
        else:
            named.append(f"{mark}{quoted(name.imported)} as {quoted(name.local)}")
    inside = [*whole, *([f"{{ {', '.join(named)} }}"] if named else [])]
    return f"{word} {', '.join(inside)} from {source};"


def quoted(name: str) -> str:
    """A name of a module, which is any text between quotes."""
    return name if name.replace("$", "_").isidentifier() else json.dumps(name)
