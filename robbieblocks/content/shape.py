"""The values of a content folder: every column that an editor decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from robbieblocks.model import Json, JsonObject, MediaBytes, NodeRow

STATUSES: Final = ("draft", "published", "archived")
# The folder in a component's own folder that holds its examples.
EXAMPLES: Final = "examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Props to look at a component with. `name` is its file's name, `digest` the text's hash."""

    name: str
    props: JsonObject
    file: Path
    title: str | None = None
    description: str | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A row of `robbieblocks_components`; `file` is where it was read.

    `examples` are those of its folder, by name: the row knows nothing of them.
    """

    key: str
    name: str
    type: str
    code: str
    props_schema: Json
    css: str | None = None
    dependencies: tuple[str, ...] = ()
    version: str = "1.0.0"
    published: bool = True
    preview_url: str | None = None
    metadata: JsonObject = field(default_factory=dict[str, Json])
    examples: tuple[Example, ...] = field(default=(), compare=False)
    file: Path = field(default=Path(), compare=False)


class TextPlace(NamedTuple):
    """A file that holds a text, and the line on which it begins there."""

    file: Path
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A row of `robbieblocks_page_blocks`; `line` is where its table starts in the page's file.

    `texts` says of each prop that a file holds alone where it was read.
    """

    order: int
    zone: str
    component: str
    props: JsonObject = field(default_factory=dict[str, Json])
    conditions: JsonObject = field(default_factory=dict[str, Json])
    line: int | None = field(default=None, compare=False)
    texts: Mapping[str, TextPlace] = field(default_factory=dict[str, TextPlace], compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A row of `robbieblocks_pages` with its blocks in order."""

    key: str
    name: str
    app: str
    route: str
    layout: str
    title: str | None = None
    description: str | None = None
    status: str = "published"
    version: int = 1
    published_at: datetime | None = None
    created_by: int | None = None
    metadata: JsonObject = field(default_factory=dict[str, Json])
    blocks: tuple[Block, ...] = ()
    file: Path = field(default=Path(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A row of `robbieblocks_style_tokens`."""

    key: str
    category: str
    value: str
    description: str | None = None


def _no_bytes() -> MediaBytes:
    return b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A row of `media_assets`. `read` gives its bytes, or where they lie: they are not in memory.

    It raises OSError where a file can't be read any more, and DatabaseUnavailable. The type follows
    from the name; `width` and `height` are what the first bytes tell. `file` is where the bytes
    lie, in a folder.
    """

    key: str
    file_name: str
    type: str = field(compare=False)
    hash: str
    size: int
    alt: str | None = None
    is_decorative: bool = False
    focal_point: str | None = None
    served_path: str | None = None
    width: int | None = field(default=None, compare=False)
    height: int | None = field(default=None, compare=False)
    read: Callable[[], MediaBytes] = field(default=_no_bytes, compare=False, repr=False)
    file: Path = field(default=Path(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything that a content folder and a branding folder hold, each sorted by key.

    `node_files` has the file of each node that was read from one, by its id.
    """

    components: tuple[Component, ...] = ()
    pages: tuple[Page, ...] = ()
    tokens: tuple[Token, ...] = ()
    nodes: tuple[NodeRow, ...] = ()
    media: tuple[Media, ...] = ()
    node_files: Mapping[str, Path] = field(default_factory=dict[str, Path], compare=False)

    @classmethod
    def of(cls, rows: Iterable[ContentRow]) -> Content:
        """The content of these rows, which come sorted by key."""
        found = list(rows)
        return cls(
            components=tuple([row for row in found if isinstance(row, Component)]),
            pages=tuple([row for row in found if isinstance(row, Page)]),
            tokens=tuple([row for row in found if isinstance(row, Token)]),
            nodes=tuple([row for row in found if isinstance(row, NodeRow)]),
            media=tuple([row for row in found if isinstance(row, Media)]),
        )

    def without(self, names: Iterable[RowName]) -> Content:
        """The content without some rows."""
        left_out = set(names)
        return Content.of(row for name, row in self.rows().items() if name not in left_out)

    def rows(self) -> dict[RowName, ContentRow]:
        """Every row by its name."""
        return {
            **{RowName("token", row.key): row for row in self.tokens},
            **{RowName("node", row.id): row for row in self.nodes},
            **{RowName("media", row.key): row for row in self.media},
            **{RowName("component", row.key): row for row in self.components},
            **{RowName("page", row.key): row for row in self.pages},
        }


Kind: TypeAlias = Literal["token", "node", "media", "component", "page"]


class RowName(NamedTuple):
    """A row of content as commands name it: `page/robbie-play-home`."""

    kind: Kind
    key: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.key}"


ContentRow: TypeAlias = Component | Page | Token | NodeRow | Media
