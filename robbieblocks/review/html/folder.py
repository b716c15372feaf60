"""The folder that `--out` writes: the report, both sides of each page, and one to compare them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from posixpath import dirname, relpath
from typing import Final, Literal, NamedTuple

from robbieblocks.css_text import css_string
from robbieblocks.model import ASSET_PREFIX
from robbieblocks.pipeline import ComposedRun, Target
from robbieblocks.review.html.report import as_html, filled, source, text_of
from robbieblocks.review.values import PageEffect, Reviewed, RowChange

Side = Literal["before", "after"]
_OUTLINED: Final = "rb-changed"
# What a page's copy may do: show. Its own scripts would ask for addresses of a server.
_POLICY: Final = (
    "default-src 'none'; script-src {}; style-src 'self' file: 'unsafe-inline'; "
    "img-src 'self' file: https: data:; media-src 'self' file: https: data:; "
    "font-src 'self' file:; base-uri 'none'; form-action 'none'"
)
_GONE: Final = re.compile(
    r"""<script\b[^<>]*>.*?</script>|<meta http-equiv="Content-Security-Policy"[^<>]*>"""
    r"""|<link rel="(?:modulepreload|preload|canonical)"[^<>]*>|\ integrity="[^"]*\"""",
    re.DOTALL | re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r'(?<=\s)(href|src|poster|action)="(/[^"]*)"')
_ASSET: Final = re.compile(re.escape(ASSET_PREFIX) + r"([\w.-]+)")
_BODY: Final = re.compile(r"<body\b[^<>]*>")
_THEME: Final = re.compile(r'<html\b[^<>]* data-theme="(\w+)"')
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
    views = {(page.node, page.key): f"pages/{page.node}/{page.key}.html" for page, _ in shown}
    files: dict[str, bytes] = {}
    for page, copies in shown:
        row = rows.get(page.key)
        for copy in copies:
            files[copy.file] = _shown(copy, known, _changed(page, row, copy.side)).encode()
            _add_assets(files, copy)
        view = views[page.node, page.key]
        files[view] = _view(page, copies, row, view, [each for each, _ in shown], views).encode()
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

    def moved(found: re.Match[str]) -> str:
        name, address = found.groups()
        if address.startswith(ASSET_PREFIX):
            return f'{name}="{relpath(copy.folder + address, here)}"'
        file = known.get((copy.folder, _plain(address)))
        # A page that is not in the folder can't be gone to; the link looks as it does.
        return f'{name}="{relpath(file, here) if file else f"#{_OUTLINED}"}"'

    text = _GONE.sub("", copy.run.contents[copy.path].decode())
    text = _ADDRESS.sub(moved, text)
    text = text.replace(f"url({ASSET_PREFIX}", f"url({relpath(copy.folder + ASSET_PREFIX, here)}/")
    outlined = ", ".join(f"html:has(#{_OUTLINED}:target) {each}" for each in changed)
    style = f"<style>{outlined} {{{_MARK}}}</style>" if changed else ""
    script = text_of("copy.js")
    policy = (
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(source(script))}">'
    )
    text = text.replace("<head>", f"<head>\n{policy}", 1).replace(
        "</head>", f"{style}<script>{script}</script></head>", 1
    )
    return _BODY.sub(lambda found: f'{found[0]}<span id="{_OUTLINED}"></span>', text, count=1)


def _add_assets(files: dict[str, bytes], copy: _Copy) -> None:
    """The assets that a page names, and those that its stylesheets name."""
    left = _ASSET.findall(copy.run.contents[copy.path].decode())
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
    blocks: set[str] = set()
    for field in row.fields if row and page.effect == "changed" else ():
        if field.kind == "move":
            blocks.add(str(getattr(field, side)))
        elif field.block is not None:
            blocks.add(str(field.block))
    components = {cause.key for cause in page.causes if cause.entity == "component"}
    return [
        *(f"#b{order}" for order in sorted(blocks)),
        *(f".rb-block[data-rb-component~={css_string(key)}]" for key in sorted(components)),
    ]


def _view(
    page: PageEffect,
    copies: Sequence[_Copy],
    row: RowChange | None,
    file: str,
    pages: Sequence[PageEffect],
    views: Mapping[tuple[str, str], str],
) -> str:
    here = dirname(file)
    theme = _THEME.search(copies[-1].run.contents[copies[-1].path].decode())
    return filled(
        "view.html.j2",
        styles=("common.css", "view.css"),
        script="view.js",
        page=page,
        row=row,
        theme=theme[1] if theme else "",
        sources={copy.side: f"{relpath(copy.file, here)}#{_OUTLINED}" for copy in copies},
        index=relpath("index.html", here),
        others=[
            (each.node, relpath(views[each.node, each.key], here))
            for each in pages
            if each.key == page.key and each.node != page.node
        ],
    )


def _plain(address: str) -> str:
    return re.split("[?#]", address, maxsplit=1)[0].rstrip("/")
