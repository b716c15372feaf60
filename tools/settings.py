"""Writes docs/settings.md from what the code says of each setting."""

from __future__ import annotations

from pathlib import Path

from robbieblocks.settings import reference

if __name__ == "__main__":
    file = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
    file.write_text(reference(), encoding="utf-8")
