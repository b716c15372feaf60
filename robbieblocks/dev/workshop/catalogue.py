"""What the workshop knows of components: the list, and what is to be seen of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from robbieblocks.assemble import ValueProblem, normal_form, schema_problems
from robbieblocks.content import CODE_FILES, Component, Content, is_packaged
from robbieblocks.errors import Problem
from robbieblocks.messages import visible
from robbieblocks.model import BlockRow, Json, JsonObject, NodeRow, PageRow, Snapshot

Uses = Mapping[str, tuple[tuple[PageRow, BlockRow], ...]]

_OWN_FIELDS: Final = ("", "react_code", "css_styles", "props_schema")


@dataclass(slots=True)
class Catalogue:
    """The components of the rows that were read last, with what the project's files add."""

    content: Snapshot | None = None
    files: Mapping[str, Component] = field(default_factory=dict[str, Component])
    _read_from: Content | None = None
    _wrong: frozenset[str] = frozenset()
    _uses: Uses = field(default_factory=dict[str, tuple[tuple[PageRow, BlockRow], ...]])
    _used_in: tuple[PageRow, ...] | None = None

    def saw(self, content: Snapshot, files: Content, problems: Iterable[Problem]) -> None:
        """Take these rows and files from now on."""
        self._wrong = frozenset(
            problem.key
            for problem in problems
            if problem.entity == "component"
            and problem.severity == "error"
            # Where a page places it wrongly, that is the page's.
            and (not problem.page or problem.field in _OWN_FIELDS)
        )
        if self._read_from is not files:
            self.files = {row.key: row for row in files.components}
            self._read_from = files
        self.content = content

    def listed(self) -> list[JsonObject]:
        """Each component, for the list."""
        content = self.content
        uses = self._uses_in(content)
        found: list[JsonObject] = []
        for key, row in sorted(content.components.items() if content else ()):
            file = self.files.get(key)
            found.append(
                {
                    "key": key,
                    "name": visible(row.name),
                    "type": visible(row.type),
                    "version": file.version if file else "",
                    "module": row.is_module,
                    "draft": row.draft,
                    "pages": len({page.key for page, _ in uses.get(key, ())}),
                    "examples": len(file.examples) if file else 0,
                    "wrong": key in self._wrong,
                }
            )
        return found

    def of(self, key: str, urls: Mapping[str, str], project: Path) -> JsonObject | None:
        """All that is to be seen of a component; None where there is none of this key."""
        content = self.content
        row = content.components.get(key) if content else None
        if content is None or row is None:
            return None
        file = self.files.get(key)
        # The database keeps no order of names, the file does.
        same_schema = file is not None and file.props_schema == row.props_schema
        stored = file.props_schema if file and same_schema else row.props_schema
        broken = next(iter(schema_problems(stored)), None)
        form = normal_form(stored)
        used = self._uses_in(content).get(key, ())
        nodes = [node for node in content.nodes if node.id in urls]
        return {
            "key": key,
            "schema": {} if broken or isinstance(form, ValueProblem) else form[0],
            "schemaProblem": _said(broken) if broken else "",
            "file": _code(file, project),
            "saves": file is not None,
            "examples": [
                {
                    "name": each.name,
                    "title": each.title or each.name,
                    "description": each.description or "",
                    "props": each.props,
                    "digest": each.digest,
                }
                for each in (file.examples if file else ())
            ],
            "uses": [_use(page, block, nodes, urls) for page, block in used],
        }

    def _uses_in(self, content: Snapshot | None) -> Uses:
        """Which blocks show each component; counted again only for other pages."""
        pages = content.pages if content else ()
        if self._used_in is not pages:
            uses: defaultdict[str, list[tuple[PageRow, BlockRow]]] = defaultdict(list)
            for page in sorted(pages, key=lambda page: page.key):
                for block in page.blocks:
                    uses[block.component].append((page, block))
            self._uses = {key: tuple(found) for key, found in uses.items()}
            self._used_in = pages
        return self._uses


def _said(problem: ValueProblem) -> str:
    at = f"at {problem.pointer}: " if problem.pointer else ""
    return visible(f"{at}{problem.what}: {problem.remedy}")


def _use(
    page: PageRow, block: BlockRow, nodes: Iterable[NodeRow], urls: Mapping[str, str]
) -> JsonObject:
    props: Json = block.props if isinstance(block.props, dict) else {}
    links: dict[str, Json] = {
        node.id: f"{urls[node.id]}{page.route}#{block.id}"
        for node in nodes
        if page.app in node.apps
    }
    return {
        "page": page.key,
        "name": visible(page.name),
        "draft": page.draft,
        "block": block.own_order,
        "zone": visible(block.zone),
        "props": props,
        "links": links,
    }


def _code(file: Component | None, project: Path) -> str:
    """The file with a component's code, as a person in the project's folder names it."""
    if file is None or is_packaged(file):
        return ""
    folder = file.file.parent
    code = next((folder / name for name in CODE_FILES if (folder / name).is_file()), folder)
    return visible(str(code.relative_to(project) if code.is_relative_to(project) else code))
