"""The folder that `--out` writes: the report, both sides of each page, and one to compare them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from posixpath import dirname, relpath
from typing import Final, Literal, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from robbieblocks.checks import SRCSET_CANDIDATE
from robbieblocks.css_text import css_string
from robbieblocks.model import ASSET_PREFIX
from robbieblocks.pipeline import ComposedRun, Target
from robbieblocks.review.html.report import as_html, source, text_of
from robbieblocks.review.html.view import OUTLINED, View
from robbieblocks.review.pictures import Pictures, theme_of, view_file
from robbieblocks.review.values import PageEffect, Reviewed, RowChange

Side = Literal["before", "after"]
# What a page's copy may do: show. Its own scripts would ask for addresses of a server.
_POLICY: Final = (
    "default-src 'none'; script-src {}; style-src 'self' file: 'unsafe-inline'; "
    "img-src 'self' file: https: data:; media-src 'self' file: https: data:; "
    "font-src 'self' file:; base-uri 'none'; form-action 'none'"
)
_GONE: Final = (
    "script,meta[http-equiv],link[rel=modulepreload],link[rel=preload],link[rel=canonical],"
    "template#rb-preloads"
)
_ADDRESSED: Final = ("href", "src", "poster", "action")
_ASSET: Final = re.compile(re.escape(ASSET_PREFIX) + r"([\w.-]+)")
_MARK: Final = (
    "outline:3px solid #e0218a!important;outline-offset:-3px;"
    "box-shadow:inset 0 0 0 6px #fff8!important"
)


class _Copy(NamedTuple):
    """A page as it is on one side."""

    side: Side
    node: str
    route: str
    path: str
    run: ComposedRun

    @property
    def body(self) -> bytes:
        return self.run.contents[self.path]

    @property
    def folder(self) -> str:
        return f"{self.side}/{self.node}"

    @property
    def file(self) -> str:
        return f"{self.folder}/{self.path}"


def report_folder(made: Reviewed, *, command: str = "") -> dict[Path, bytes]:
    """Files by path: `index.html`, `pages/`, `before/` and `after/`; they open from disk."""
    shown = [(page, copies) for page in made.review.pages if (copies := _copies(page, made))]
    known = {(copy.folder, _plain(copy.route)): copy.file for _, copies in shown for copy in copies}
    rows = {row.key: row for row in made.review.rows if row.entity == "page"}
    views = {(page.node, page.key): view_file(page) for page, _ in shown}
    files: dict[str, bytes] = {}
    pictures = made.review.pictures or Pictures()
    pages = [each for each, _ in shown]
    for page, copies in shown:
        row = rows.get(page.key)
        changed = {copy.side: _changed(page, row, copy.side) for copy in copies}
        for copy in copies:
            files[copy.file] = _shown(copy, known, changed[copy.side]).encode()
            _add_assets(files, copy)
        view = View(page, row, theme_of(copies[-1].body), pages, pictures)
        files[view_file(page)] = view.of_page(
            {copy.side: copy.file for copy in copies}, outlines=any(changed.values())
        )
        files |= view.of_pictures()
    for each in pictures.shown:
        files |= {picture.file: picture.content for picture in each.pictures.values()}
    # The last to appear: where it is, all is.
    files["index.html"] = as_html(made.review, command=command, views=views).encode()
    return {Path(name): body for name, body in files.items()}


def _copies(page: PageEffect, made: Reviewed) -> list[_Copy]:
    if page.effect in ("identical", "held back"):
        return []
    sides: tuple[tuple[Side, str, Mapping[Target, ComposedRun]], ...] = (
        ("before", page.path_before, made.before),
        ("after", page.path_after, made.after),
    )
    found: list[_Copy] = []
    for side, path, runs in sides:
        run = runs.get(Target(page.node, page.app))
        if path and run and path in run.contents:
            entry = run.manifest.by_key[page.key]
            found.append(_Copy(side, page.node, entry.route, path, run))
    return found


def _shown(copy: _Copy, known: Mapping[tuple[str, str], str], changed: Sequence[str]) -> str:
    """The page without scripts, with addresses that hold in the folder."""
    here = dirname(copy.file)

    def moved(address: str) -> str:
        if address.startswith(ASSET_PREFIX):
            return relpath(copy.folder + address, here)
        file = known.get((copy.folder, _plain(address)))
        # A page that is not in the folder can't be gone to; the link looks as it does.
        return relpath(file, here) if file else f"#{OUTLINED}"

    page = LexborHTMLParser(copy.body)
    for tree in _trees(page.root):
        # One by one: an element may be in another one.
        while (gone := tree.css_first(_GONE)) is not None:
            gone.decompose()
        for name in _ADDRESSED:
            for each in tree.css(f"[{name}]"):
                address = each.attributes.get(name) or ""
                if _is_own(address):
                    each.attrs[name] = moved(address)
        for each in tree.css("[srcset]"):
            each.attrs["srcset"] = _moved_each(each.attributes.get("srcset") or "", moved)
        for each in tree.css("[integrity]"):
            del each.attrs["integrity"]
    outlined = ", ".join(f"html:has(#{OUTLINED}:target) {each}" for each in changed)
    style = f"<style>{outlined} {{{_MARK}}}</style>" if changed else ""
    script = text_of("copy.js")
    added = LexborHTMLParser(
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(source(script))}">'
        f'{style}<script>{script}</script><body><span id="{OUTLINED}"></span>'
    )
    # The policy is the first: it holds for all that comes after it.
    _prepend(page.head, added.head)
    _prepend(page.body, added.body)
    return (page.html or "").replace(
        f"url({ASSET_PREFIX}", f"url({relpath(copy.folder + ASSET_PREFIX, here)}/"
    )


def _is_own(address: str) -> bool:
    return address.startswith("/") and not address.startswith("//")


def _moved_each(candidates: str, moved: Callable[[str], str]) -> str:
    """The addresses of a `srcset`; the widths and densities behind them stay."""

    def of_one(found: re.Match[str]) -> str:
        address = found[1]
        return (moved(address) if _is_own(address) else address) + found[0][len(address) :]

    return SRCSET_CANDIDATE.sub(of_one, candidates)


def _trees(node: LexborNode | None) -> Iterator[LexborNode]:
    """What is below a node, and below each declarative shadow root."""
    if node is not None:
        yield node
        for fragment in node.template_fragments():
            yield from _trees(fragment)


def _prepend(element: LexborNode | None, added: LexborNode | None) -> None:
    """Put all that is in `added` before all that is in `element`."""
    if element is not None and added is not None:
        first = element.first_child
        insert = element.insert_child if first is None else first.insert_before
        for each in added.iter(include_text=True):
            insert(each)


def _add_assets(files: dict[str, bytes], copy: _Copy) -> None:
    """The assets that a page names, and those that its stylesheets name."""
    left = _ASSET.findall(copy.body.decode())
    while left:
        name = left.pop()
        asset, file = copy.run.assets.get(name), f"{copy.folder}{ASSET_PREFIX}{name}"
        if asset is None or file in files or name.endswith(".js"):
            continue
        body = asset.content
        if name.endswith(".css"):
            text = body.decode()
            left += _ASSET.findall(text)
            body = text.replace(f"url({ASSET_PREFIX}", "url(").encode()
        files[file] = body


def _changed(page: PageEffect, row: RowChange | None, side: Side) -> list[str]:
    """Selectors of the blocks that differ: by their fields, or because their component does."""
    fields = row.fields if row and page.effect == "changed" else ()
    places = {field.places[0 if side == "before" else 1] for field in fields}
    blocks = sorted(place for place in places if place is not None)
    components = {cause.key for cause in page.causes if cause.entity == "component"}
    return [
        *(f"#b{order}" for order in blocks),
        *(f".rb-block[data-rb-component~={css_string(key)}]" for key in sorted(components)),
    ]


def _plain(address: str) -> str:
    return re.split("[?#]", address, maxsplit=1)[0].rstrip("/")
