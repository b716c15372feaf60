"""Generated apps: the same pages for RobbieBlocks' tables and for its peers' folders.

Deterministic: equal sizes give equal apps, text for text.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

_TEXT = (
    "amber basin cedar delta ember fjord grove harbor island juniper kernel lantern meadow nectar "
    "orbit prairie quartz river summit timber umbra valley willow xenon yonder zephyr"
)
_WORDS = _TEXT.split()


@dataclass(frozen=True, slots=True)
class Size:
    """How large an app is. Every third component has state, the others are markup and style."""

    pages: int
    components: int
    blocks: int = 8
    nodes: int = 1

    def __str__(self) -> str:
        return f"{self.pages:,} pages x {self.blocks} blocks over {self.components} components"


@dataclass(frozen=True, slots=True)
class Component:
    """A component's key, TSX and CSS. `name` is its identifier."""

    key: str
    name: str
    code: str
    css: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page's key, route and blocks: component key and props."""

    key: str
    route: str
    title: str
    blocks: tuple[tuple[str, dict[str, Any]], ...]


def component(number: int, *, note: str = "first edition") -> Component:
    """The component of that number; `note` is a text in it, to edit."""
    key, name = f"part-{number:04}", f"Part{number:04}"
    body = _STATEFUL if number % 3 == 0 else _STATIC
    word = _WORDS[number % len(_WORDS)]
    code = body.replace("NAME", name).replace("WORD", word).replace("NOTE", note)
    return Component(key=key, name=name, code=code, css=_CSS.replace("HUE", str(number * 37 % 360)))


def components(size: Size) -> Iterator[Component]:
    """Every component of an app."""
    return (component(number) for number in range(size.components))


def pages(size: Size) -> Iterator[Page]:
    """Every page of an app, each with its own texts."""
    chance = random.Random(size.pages * 1_000_003 + size.components)
    for number in range(size.pages):
        blocks = tuple(
            (f"part-{chance.randrange(size.components):04}", _props(chance, number))
            for _ in range(size.blocks)
        )
        yield Page(
            key=f"page-{number:05}",
            route="/bench/" if number == 0 else f"/bench/{_WORDS[number % 26]}-{number}/",
            title=f"{_WORDS[number % 26].title()} {number}",
            blocks=blocks,
        )


def _props(chance: random.Random, page: int) -> dict[str, Any]:
    words = [chance.choice(_WORDS) for _ in range(24)]
    return {
        "title": " ".join(words[:3]).title(),
        "text": " ".join(words[3:18]),
        "items": words[18:],
        "count": page,
    }


def load(conninfo: str, size: Size) -> None:
    """Replace a database's content by the app, quietly: nothing is left in the queue."""
    with psycopg.connect(conninfo) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "TRUNCATE robbieblocks_pages, robbieblocks_components, robbieblocks_page_blocks, "
            "robbieblocks_node_branding CASCADE"
        )
        with cursor.copy(
            "COPY robbieblocks_components (component_key, component_name, component_type, "
            "react_code, css_styles, props_schema, is_published) FROM STDIN"
        ) as rows:
            for part in components(size):
                rows.write_row(
                    (part.key, part.name, "display", part.code, part.css, Jsonb(_SCHEMA), True)
                )
        with cursor.copy(
            "COPY robbieblocks_pages (page_key, app_namespace, page_name, page_route, "
            "layout_template, status) FROM STDIN"
        ) as rows:
            for page in pages(size):
                rows.write_row(
                    (page.key, "bench", page.title, page.route, "single-column", "published")
                )
        pages_by_key: dict[str, Any] = dict(
            cursor.execute("SELECT page_key, id FROM robbieblocks_pages").fetchall()
        )
        parts_by_key: dict[str, Any] = dict(
            cursor.execute("SELECT component_key, id FROM robbieblocks_components").fetchall()
        )
        with cursor.copy(
            "COPY robbieblocks_page_blocks (page_id, component_id, block_order, zone, props) "
            "FROM STDIN"
        ) as rows:
            for page in pages(size):
                for order, (key, props) in enumerate(page.blocks, 1):
                    rows.write_row(
                        (pages_by_key[page.key], parts_by_key[key], order, "main", Jsonb(props))
                    )
        for number in range(size.nodes):
            cursor.execute(
                "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, "
                "enabled_apps) VALUES (%s, %s, %s, '{bench}')",
                (
                    f"node-{number:03}",
                    f"Node {number}",
                    Jsonb({"theme": "dark" if number % 2 else "light"}),
                ),
            )
        cursor.execute("TRUNCATE robbieblocks_change_triggers")
        cursor.execute("TRUNCATE robbieblocks_deploys")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def props_literal(props: dict[str, Any]) -> str:
    """Props as a JavaScript expression."""
    return json.dumps(props)


_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "text": {"type": "string", "default": ""},
        "items": {"type": "array", "items": {"type": "string"}},
        "count": {"type": "integer", "minimum": 0},
    },
    "required": ["title"],
}

_STATIC = """\
type Props = { title: string; text: string; items: string[]; count: number };

export default function NAME({ title, text, items, count }: Props) {
  const shown = items.filter((item) => item !== "WORD");
  return (
    <article className="card">
      <header className="head">
        <h2>{title}</h2>
        <small>No. {count}, NOTE</small>
      </header>
      <p>{text}</p>
      <ul className="list">
        {shown.map((item, index) => (
          <li key={index}>
            <strong>{item}</strong> <span>{item.length} letters</span>
          </li>
        ))}
      </ul>
    </article>
  );
}
"""

_STATEFUL = """\
import { useId, useMemo, useState } from "react";

type Props = { title: string; text: string; items: string[]; count: number };

export default function NAME({ title, text, items, count }: Props) {
  const [filter, setFilter] = useState("");
  const [likes, setLikes] = useState(count);
  const id = useId();
  const shown = useMemo(() => items.filter((item) => item.includes(filter)), [items, filter]);
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <p>{text} WORD, NOTE</p>
      <label>
        Filter <input value={filter} onChange={(event) => setFilter(event.target.value)} />
      </label>
      <ol className="list">
        {shown.map((item, index) => (
          <li key={index}>{item}</li>
        ))}
      </ol>
      <button type="button" onClick={() => setLikes(likes + 1)}>
        {likes} likes
      </button>
    </section>
  );
}
"""

_CSS = """\
.card { padding: 1rem; border: 1px solid hsl(HUE 60% 60%); border-radius: 12px; }
.head { display: flex; justify-content: space-between; gap: 0.5rem; }
.list { display: grid; gap: 0.25rem; padding-inline-start: 1rem; }
.card:hover { border-color: hsl(HUE 80% 40%); }
@media (width < 600px) { .card { padding: 0.5rem; } }
"""
