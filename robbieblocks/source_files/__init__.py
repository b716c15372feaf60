"""TOML and JSON files that people write: read whole, and every mistake named with file and line.

| module | what it does |
|---|---|
| `toml` | reads a TOML file |
| `table` | a TOML file as a table whose values are taken by name and kind |
| `lines` | the line of each key of a TOML text |
| `json_lines` | the line of each key of a JSON text |
| `outline` | what is taken from a table, as a JSON Schema |
| `problems` | collects what is wrong with the files of a folder |
| `exact_json` | JSON whose numbers stay as they are written |
"""

from robbieblocks.source_files import exact_json
from robbieblocks.source_files.json_lines import json_lines
from robbieblocks.source_files.lines import Place, key_lines, line_of
from robbieblocks.source_files.outline import outline
from robbieblocks.source_files.problems import ProblemCollector, unstorable
from robbieblocks.source_files.table import Table
from robbieblocks.source_files.toml import parse_toml, read_toml

__all__ = [
    "Place",
    "ProblemCollector",
    "Table",
    "exact_json",
    "json_lines",
    "key_lines",
    "line_of",
    "outline",
    "parse_toml",
    "read_toml",
    "unstorable",
]
