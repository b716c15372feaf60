"""Makes a project of the documents: each Markdown file becomes a page.

    python -m tools.docs_site FOLDER

The folder is one that this made, or is not there. It is a project as `robbieblocks new` makes it,
with the components and layout of docs/site/. `make docs` imports, builds and serves it.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urldefrag

from markdown_it import MarkdownIt
from markdown_it.token import Token

from robbieblocks.content import start_project

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
INDEX: Final = DOCS / "README.md"
APP: Final = "docs"
NODES: Final = ("light", "dark")
# What `robbieblocks new` makes as the first page.
_FIRST_PAGE: Final = (
    "content/pages/home.toml",
    "content/components/markdown",
    "content/components/welcome",
)
_MARKDOWN: Final = MarkdownIt("commonmark").enable("table")

# Text, or an element: its tag, its attributes as React names them, and the pieces in it.
Piece: TypeAlias = str | list[Any]
Link: TypeAlias = dict[str, str]


@dataclass
class Document:
    """A document as a page: `pieces` are its body, `heads` its second headings as (id, text)."""

    file: Path
    pieces: list[Piece] = field(default_factory=list[Piece])
    heads: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @property
    def link(self) -> Link:
        """A link to it."""
        return {"href": route_of(self.file), "title": title_of(self.file)}


def route_of(file: Path) -> str:
    """The address of a document's page."""
    path = file.relative_to(DOCS if file.is_relative_to(DOCS) else ROOT)
    return "/" if file == INDEX else f"/{path.with_suffix('').as_posix().lower()}/"


def title_of(file: Path) -> str:
    """A document's first heading."""
    return file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def read(file: Path, text: str | None = None) -> Document:
    """A document's page; `text` stands for the file's. Raises SystemExit for what has no form."""
    document = Document(file)
    tokens = _MARKDOWN.parse(file.read_text(encoding="utf-8") if text is None else text)
    document.pieces = _Reader(document).pieces(iter(tokens), "")
    return document


class _Reader:
    """Turns the tokens of one document into pieces."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._ids: dict[str, int] = {}

    def pieces(self, tokens: Iterator[Token], end: str) -> list[Piece]:
        """The pieces up to the token that closes them."""
        found: list[Piece] = []
        for token in tokens:
            if token.type == end:
                break
            found += self._piece(token, tokens)
        return found

    def _piece(self, token: Token, tokens: Iterator[Token]) -> Iterable[Piece]:
        if token.type == "inline":
            return self.pieces(iter(token.children or ()), "")
        if token.nesting != 1:
            return self._leaf(token)
        inner = self.pieces(tokens, token.type.removesuffix("_open") + "_close")
        # The paragraph of a tight list is hidden.
        return inner if token.hidden else [self._element(token, inner)]

    def _leaf(self, token: Token) -> Iterable[Piece]:
        match token.type:
            case "text":
                return _text(token.content)
            case "softbreak":
                return [" "]
            case "hardbreak" | "hr":
                return [[token.tag, {}]]
            case "code_inline":
                return [["code", {}, *_text(token.content)]]
            case "fence" | "code_block":
                return [_code(token)]
            case "image":
                return [self._image(token)]
            case "html_block" if token.content.startswith("<!--"):
                return []
            case _:
                raise SystemExit(
                    f"{self._document.file}: {token.type} has no form: {token.content}"
                )

    def _element(self, token: Token, inner: list[Piece]) -> Piece:
        if token.tag in ("h1", "h2", "h3", "h4"):
            return self._heading(token.tag, inner)
        if token.tag == "table":
            return ["div", {"className": "table"}, ["table", {}, *inner]]
        if token.tag == "a":
            return self._link(str(token.attrs["href"]), inner)
        return [token.tag, {}, *inner]

    def _heading(self, tag: str, inner: list[Piece]) -> Piece:
        text = _plain(inner)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        seen = self._ids.get(slug, 0)
        self._ids[slug] = seen + 1
        anchor = f"{slug}-{seen}" if seen else slug
        if tag == "h1":
            return [tag, {}, *inner]
        if tag == "h2":
            self._document.heads.append((anchor, text))
        link: Piece = ["a", {"className": "anchor", "href": f"#{anchor}", "aria-label": text}, "#"]
        return [tag, {"id": anchor}, *inner, link]

    def _link(self, href: str, inner: list[Piece]) -> Piece:
        path, fragment = urldefrag(href)
        if re.match(r"\w+:", href) or not path:
            return ["a", {"href": href}, *inner]
        file = (self._document.file.parent / path).resolve()
        if file.suffix != ".md":
            return ["span", {}, *inner]  # a file of the repository, whose address nobody knows
        if _plain(inner).endswith(".md"):
            inner = [title_of(file)]
        return ["a", {"href": route_of(file) + (f"#{fragment}" if fragment else "")}, *inner]

    def _image(self, token: Token) -> Piece:
        file = self._document.file.parent / str(token.attrs["src"])
        if file.suffix != ".svg" or not file.is_file():
            raise SystemExit(f"{self._document.file}: {file} is no SVG that is there")
        text = file.read_text(encoding="utf-8")
        size = dict(
            zip(("width", "height"), re.findall(r'viewBox="0 0 (\d+) (\d+)"', text)[0], strict=True)
        )
        address = "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()
        return ["img", {"src": address, "alt": token.content, **size}]


def _code(token: Token) -> Piece:
    """A block of code, with what stands behind the fence's language as its caption."""
    info = token.info.strip()
    told = re.search(r"(file|at)=(\S+)", info)
    caption = {"text": "prints", "sh": "Terminal"}.get(info.split(" ")[0], "")
    if told:
        shown = {"file": "{}", "at": "shown at {}"}[told[1]].format(told[2])
        caption = f"change in {shown}" if info.startswith("diff") else shown
    head: list[Piece] = [["figcaption", {}, *_text(caption)]] if caption else []
    body: Piece = ["pre", {"tabIndex": "0"}, ["code", {}, *_text(token.content)]]
    return ["figure", {"className": "code"}, *head, body]


def _text(text: str) -> list[Piece]:
    """A text; two braces stand apart, so that none of them is a placeholder of a page."""
    return [part for part in re.split(r"(?<=\{)(?=\{)", text) if part]


def _plain(pieces: Iterable[Piece]) -> str:
    return "".join(piece if isinstance(piece, str) else _plain(piece[2:]) for piece in pieces)


def groups() -> dict[str, list[Path]]:
    """The documents that the index lists, by the heading under which each stands first."""
    _, *sections = INDEX.read_text(encoding="utf-8").split("\n## ")
    seen = {INDEX}
    found: dict[str, list[Path]] = {}
    for section in sections:
        title, _, body = section.partition("\n")
        linked = [(DOCS / path).resolve() for path in re.findall(r"\]\(([^)#]+\.md)\)", body)]
        found[title] = [file for file in dict.fromkeys(linked) if file not in seen]
        seen.update(linked)
    return found


def _pages() -> Iterator[tuple[str, str]]:
    """The text of each page's file, by its name."""
    listed = groups()
    files = [INDEX, *(file for group in listed.values() for file in group)]
    documents = {file: read(file) for file in files}
    menu = [
        {"title": title, "links": [documents[file].link for file in group]}
        for title, group in listed.items()
    ]
    for place, (file, document) in enumerate(documents.items()):
        turn = {}
        if place:
            turn["before"] = documents[files[place - 1]].link
        if place + 1 < len(files):
            turn["next"] = documents[files[place + 1]].link
        contents = [{"href": f"#{anchor}", "title": title} for anchor, title in document.heads]
        blocks: list[tuple[str, str, Mapping[str, object]]] = [
            ("header", "site-head", {}),
            ("sidebar", "site-nav", {"groups": menu, "current": route_of(file)}),
            ("main", "toc", {"links": contents}),
            ("main", "article", {"pieces": document.pieces}),
            ("main", "page-turn", turn),
            ("overlay", "copy-code", {}),
        ]
        shown = [block for block in blocks if contents or block[1] != "toc"]
        yield route_of(file).strip("/").replace("/", "-") or "index", _page(file, shown)


def _page(file: Path, blocks: Iterable[tuple[str, str, Mapping[str, object]]]) -> str:
    name = title_of(file)
    title = name if file == INDEX else f"{name} · RobbieBlocks"
    lines = [
        f"name = {json.dumps(name)}",
        f'app = "{APP}"',
        f'route = "{route_of(file)}"',
        'layout = "document"',
        f"title = {json.dumps(title)}",
    ]
    for order, (zone, component, props) in enumerate(blocks, 1):
        lines += ["", "[[blocks]]", f"order = {order}", f'zone = "{zone}"']
        # A JSON text is a TOML text, but for DEL, which no document has.
        lines += [f'component = "{component}"', f"props_json = {json.dumps(json.dumps(props))}"]
    return "\n".join((*lines, ""))


def main(folder: Path) -> None:
    """Write the project; its database and what is live stay."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "documentation"
        start_project(project, APP, NODES)
        for name in _FIRST_PAGE:
            made = project / name
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        shutil.copytree(DOCS / "site", project, dirs_exist_ok=True)
        for name, text in _pages():
            (project / "content" / "pages" / f"{name}.toml").write_text(text, encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        for made in project.iterdir():
            old = folder / made.name
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
            shutil.move(made, old)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make a project of the documents.")
    parser.add_argument("folder", type=Path)
    main(parser.parse_args().folder)
