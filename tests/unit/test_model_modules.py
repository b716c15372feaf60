"""The graph of imports: what a module needs, and who needs it."""

from __future__ import annotations

from dataclasses import dataclass

from robbieblocks.model import importers, reachable


@dataclass(frozen=True)
class Part:
    imports: tuple[str, ...] = ()


PARTS = {
    "page": Part(("card", "missing")),
    "card": Part(("react", "icon")),
    "icon": Part(("react",)),
    "clock": Part(("react", "timer")),
    "timer": Part(("clock",)),
    "react": Part(),
}


def test_reachable() -> None:
    """A module needs itself and all that it imports, however deep, as far as there is a module."""
    assert reachable(["page"], PARTS) == {"page", "card", "icon", "react"}
    assert reachable(["icon", "icon"], PARTS) == {"icon", "react"}
    assert reachable(["missing"], PARTS) == set()
    assert reachable([], PARTS) == set()


def test_importers() -> None:
    """A module reaches itself and all that import it, however indirectly, itself there or not."""
    assert importers(["icon"], PARTS) == {"icon", "card", "page"}
    assert importers(["missing"], PARTS) == {"missing", "page"}
    assert importers([], PARTS) == set()


def test_rings() -> None:
    """Modules that import each other are found once."""
    assert reachable(["clock"], PARTS) == {"clock", "timer", "react"}
    assert importers(["timer"], PARTS) == {"clock", "timer"}
