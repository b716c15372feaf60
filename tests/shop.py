"""The example shop: how `make demo SITE=shop` makes it, and its pages of each kind."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SHOP: Final = Path(__file__).resolve().parents[1] / "examples" / "shop"
NODES: Final = ("kiln", "quay")
PATHS: Final = (
    "",
    "pieces/",
    "pieces/skerry-bowl",
    "journal/",
    "journal/first-firing/",
    "contact/",
    "search/",
    "de/",
)
COMMANDS: Final = (
    ("db", "init"),
    ("db", "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", "products.sql"),
    ("collections", "install", "--apply"),
    ("content", "import"),
    ("build", "--strict"),
)
