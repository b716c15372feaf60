"""Writes the seeds of the schema file from the design tokens and the branding of the nodes.

    python tools/seeds.py            write part 7 of the schema file
    python tools/seeds.py --check    fail where it differs from the TOML files

The schema file stays one file that psql applies alone, so it holds a copy of what stands in
schema/content/tokens.toml and node_branding/*.toml.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from robbieblocks import content
from robbieblocks.content import Content

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "schema" / "unified-schema" / "21-robbieblocks-cms.sql"
BEGIN, END = "-- (seeds begin)\n", "-- (seeds end)\n"
_LINE_LENGTH_MAX = 99

_TOKENS = """\
INSERT INTO robbieblocks_style_tokens
       (token_key, token_category, default_value, description)
SELECT seed.token_key, seed.token_category, seed.default_value, seed.description
  FROM (VALUES
{rows}
  ) AS seed (token_key, token_category, default_value, description)
 WHERE current_setting('robbieblocks.created')::boolean;
"""
_NODES = """\
INSERT INTO robbieblocks_node_branding (node_id, node_name, enabled_apps, style_overrides)
SELECT seed.node_id, seed.node_name, seed.enabled_apps, seed.style_overrides::jsonb
  FROM (VALUES
{rows}
  ) AS seed (node_id, node_name, enabled_apps, style_overrides)
 WHERE current_setting('robbieblocks.created')::boolean;
"""


def seeds(given: Content) -> str:
    """The statements that insert the tokens and nodes of a content folder."""
    tokens = [
        _row([_quoted(t.key), _quoted(t.category), _quoted(t.value), _quoted(t.description or "")])
        for t in given.tokens
    ]
    nodes = [
        _row([_quoted(n.id), _quoted(n.name), _array(n.enabled_apps), _json(n.overrides)])
        for n in given.nodes
    ]
    return _TOKENS.format(rows=",\n".join(tokens)) + "\n" + _NODES.format(rows=",\n".join(nodes))


def written(text: str, part: str) -> str:
    """The schema file with `part` between the two markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + part + END + after


def _row(values: Sequence[str]) -> str:
    """A row of VALUES: on one line, or on several where that is too long."""
    return "    (" + _wrapped([f"{value}," for value in values[:-1]] + [values[-1]], "     ") + ")"


def _wrapped(words: Sequence[str], indent: str) -> str:
    """Words on lines of limited length; lines after the first are indented."""
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        if len(indent + longer.partition("\n")[0]) < _LINE_LENGTH_MAX - 1 and "\n" not in longer:
            lines[-1] = longer
        else:
            lines.append(word)
    return f"\n{indent}".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _array(texts: Sequence[str]) -> str:
    return "ARRAY[" + ", ".join(map(_quoted, texts)) + "]"


def _json(overrides: object) -> str:
    """A JSON object as a text, an entry never divided between two lines."""
    if not isinstance(overrides, dict):
        raise TypeError(overrides)
    entries = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in overrides.items()]
    words = [f"{entry}," for entry in entries[:-1]] + [f"{entries[-1]}}}"]
    return _quoted("{" + _wrapped(words, "   "))


def main() -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    check = parser.parse_args().check
    given = content.load(ROOT / "schema" / "content", ROOT / "node_branding")
    text = FILE.read_text(encoding="utf-8")
    wanted = written(text, seeds(given))
    if check and text != wanted:
        print(f"{FILE} differs from the TOML files: run `make seeds`", file=sys.stderr)
        return 1
    if text != wanted:
        FILE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
