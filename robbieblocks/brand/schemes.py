"""The second set of a node's tokens, for visitors who prefer the other theme."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from robbieblocks.brand.tokens import ResolvedTokens, flattened_overrides, node_problem
from robbieblocks.errors import Problem
from robbieblocks.messages import json_pointer
from robbieblocks.model import NODE_KEYS, Json, NodeRow, SiteSettings, TokenRow, kept_for
from robbieblocks.row_faults import blame


class Scheme:
    """`settings.schemes` with every token's value in the other theme, and the problems.

    `values` are all values, those that the scheme leaves as they are among them; empty where there
    is no scheme. `changed` are those that differ. `media` is when they hold: paper is light.
    """

    def __init__(
        self,
        node: NodeRow,
        settings: SiteSettings,
        tokens: Sequence[TokenRow],
        resolved: ResolvedTokens,
    ) -> None:
        self.theme = "light" if node.theme == "dark" else "dark"
        is_light = self.theme == "light"
        self.media = (
            "(prefers-color-scheme:light),print"
            if is_light
            else ("screen and (prefers-color-scheme:dark)")
        )
        self.values: Mapping[str, str] = {}
        self.changed: Mapping[str, str] = {}
        self.problems: list[Problem] = []
        self._node = node
        stated = dict(settings.schemes)
        if node.theme in stated:
            what = f"{node.theme} is the node's own theme"
            remedy = f"write these values as the node's tokens, and those of {self.theme} here"
            self._add(f"/{node.theme}", what, remedy)
        if self.theme in stated and isinstance(node.overrides, dict):
            pointer = f"/schemes/{self.theme}"
            with blame(self.problems.append, "node_branding", node.id, "settings", pointer=pointer):
                self._read(json.loads(stated[self.theme]), tokens, resolved)

    def _read(
        self, given: Mapping[str, Json], tokens: Sequence[TokenRow], resolved: ResolvedTokens
    ) -> None:
        try:
            own = flattened_overrides(given)
            base = flattened_overrides(self._node.overrides)  # type: ignore[arg-type] # an object
        except ValueError as error:
            self._add(f"/{self.theme}", str(error), "say it once")
            return
        kept = {key: f"`{key}` is kept for {kept_for(key)}" for key in NODE_KEYS}
        fonts = {key: f"`{key}` is a font" for key in own if resolved.is_font(key)}
        wrong = {key: what for key, what in {**kept, **fonts}.items() if key in own}
        for key, what in wrong.items():
            self._add(f"/{self.theme}{json_pointer(key)}", what, "a node has one for both themes")
        if wrong:
            return
        other = ResolvedTokens(replace(self._node, overrides={**base, **own}), tokens)
        self.problems += self._of(other, own)
        self.values = other.values
        self.changed = {
            key: value for key, value in other.values.items() if resolved.values.get(key) != value
        }

    def _of(self, other: ResolvedTokens, own: Mapping[str, Json]) -> Iterator[Problem]:
        """What is wrong with the scheme's own values; the others' problems are known."""
        pointers = {json_pointer(key) for key in own}
        for each in other.problems:
            if each.field == "style_overrides" and each.pointer in pointers:
                pointer = f"/schemes/{self.theme}{each.pointer}"
                yield replace(each, field="settings", pointer=pointer)

    def _add(self, pointer: str, what: str, remedy: str) -> None:
        problem = node_problem(self._node, "settings", what, remedy)
        self.problems.append(replace(problem, pointer=f"/schemes{pointer}"))
