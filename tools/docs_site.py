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
from html import unescape
from itertools import zip_longest
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urldefrag

from robbieblocks.assemble.markdown.rendering import rendered
from robbieblocks.content import start_project

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
INDEX: Final = DOCS / "README.md"
APP: Final = "docs"
NODES: Final = ("light", "dark")
# What `robbieblocks new` makes as the first page.
_FIRST_PAGE: Final = ("content/pages/home.toml", "content/components/welcome")
# A fence, code in a line, or a link.
_MARK: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>\S*)(?P<info>.*)\n(?P<code>(?s:.*?)^ *```\n)"
    r"|`[^`]*`|(?<!!)\[(?P<label>(?:[^]`]|`[^`]*`)*)\]\((?P<href>[^)\s]+)\)",
    re.MULTILINE,
)
_IMAGE: Final = re.compile(r"^!\[([^]]*)\]\((\S+)\)\n", re.MULTILINE)
_HEAD: Final = re.compile(r'<h2 id="([^"]*)">.*aria-label="([^"]*)"')

Link: TypeAlias = dict[str, str]


@dataclass
class Document:
    """A document as a page: `parts` are its body, as the component `article` takes it.

    `heads` are its second headings as (id, text).
    """

    file: Path
    parts: list[Mapping[str, object]] = field(default_factory=list[Mapping[str, object]])
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
    """A document's page; `text` stands for the file's.

    Raises SystemExit for a picture that can't be shown.
    """
    document = Document(file)
    text = file.read_text(encoding="utf-8") if text is None else text
    text = _MARK.sub(lambda it: _captioned(it) if it["code"] else _linked(file, it), text)
    # Between two texts are a picture's text and its address.
    pieces = _IMAGE.split(text)
    for part, alt, source in zip_longest(pieces[::3], pieces[1::3], pieces[2::3]):
        document.parts.append({"text": part})
        heads = _HEAD.findall(rendered(part).html)
        document.heads += [(unescape(anchor), unescape(head)) for anchor, head in heads]
        if source:
            document.parts.append({"image": _image(file, alt, source)})
    return document


def _linked(file: Path, found: re.Match[str]) -> str:
    """A link to a document as one to its page; code, and a link elsewhere, as it is."""
    label, href = found["label"], found["href"]
    path, fragment = urldefrag(href or "")
    if re.match(r"\w+:", path) or not path:
        return found[0]
    target = (file.parent / path).resolve()
    if target.suffix != ".md":
        return label  # a file of the repository, whose address nobody knows
    if label.endswith(".md"):
        label = title_of(target)
    return f"[{label}]({route_of(target)}{f'#{fragment}' if fragment else ''})"


def _captioned(found: re.Match[str]) -> str:
    """A block of code, and before it what stands behind the fence's language: its caption."""
    indent, language = found["indent"], found["language"]
    told = re.search(r"(file|at)=(\S+)", found["info"])
    caption = {"text": "prints", "sh": "Terminal"}.get(language, "")
    if told:
        shown = {"file": "{}", "at": "shown at {}"}[told[1]].format(told[2])
        caption = f"change in {shown}" if language == "diff" else shown
    head = f"{indent}```caption\n{indent}{caption}\n{indent}```\n" if caption else ""
    return f"{head}{indent}```{language}\n{found['code']}"


def _image(file: Path, alt: str, source: str) -> Mapping[str, str]:
    """A picture's attributes, as React names them."""
    picture = file.parent / source
    if picture.suffix != ".svg" or not picture.is_file():
        raise SystemExit(f"{file}: {picture} is no SVG that is there")
    text = picture.read_text(encoding="utf-8")
    size = dict(
        zip(("width", "height"), re.findall(r'viewBox="0 0 (\d+) (\d+)"', text)[0], strict=True)
    )
    address = "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()
    return {"src": address, "alt": alt, **size}


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
            ("main", "article", {"parts": document.parts}),
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
