"""The reference entry of a setting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """The reference entry of one setting, in Markdown.

    `key` is its table and key in robbieblocks.toml; a setting has that, a `variable`, or both.
    `choices` are its values, where it can't have others. A setting with a `range` is a whole
    number within it, both ends included.
    """

    variable: str
    key: str
    default: str
    meaning: str
    choices: tuple[str, ...] = ()
    range: tuple[int, int] | None = None

    @property
    def default_number(self) -> int:
        """The default of a setting that is a number."""
        return int(self.default.strip("`"))
