"""The files of a new project: a page, a component, tokens and the branding of each node."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.messages import printable
from robbieblocks.model import SHARED_APP
from robbieblocks.names import NAME_REMEDY, NODE_LENGTH, app_problem, name_problem
from robbieblocks.new_folder import write_new_folder
from robbieblocks.settings import PROJECT_FILE

_FILES: Final = Path(__file__).resolve().parent / "files"
_BRANDING: Final = Path("node_branding")
_FIRST_PORT: Final = 8000
_EDITOR_FILES: Final = ("tsconfig.json", ".taplo.toml", ".vscode/settings.json")


def start_project(folder: Path, app: str, nodes: Sequence[str]) -> None:
    """Write a new project with one app on all of `nodes` into a folder: all of it, or nothing.

    The folder is made where it is not there. Raises UsageError for one that is not empty and for
    names that can't be used, and SiteUnavailable where it can't be written.
    """
    nodes = tuple(dict.fromkeys(nodes))
    _check_names(app, nodes)
    files = _files(_name_of(folder), app, nodes)
    try:
        write_new_folder(folder, {path: text.encode() for path, text in files.items()})
    except OSError as error:
        reason = error.strerror or error
        raise SiteUnavailable(f"can't write the project {printable(str(folder))}: {reason}") from (
            error
        )


def editor_files(content: str, branding: str) -> dict[str, str]:
    """The files by which an editor finds what `robbieblocks types` writes, by path in the project.

    `content` and `branding` are the paths of the project's two folders in it.
    """
    return {
        name: _stored(_FILES / _stored_name(name))
        .replace("content/", f"{content}/")
        .replace("node_branding/", f"{branding}/")
        for name in _EDITOR_FILES
    }


def _check_names(app: str, nodes: Sequence[str]) -> None:
    wrong = [f"the app {printable(app)} {what}" for what in (app_problem(app),) if what]
    if app == SHARED_APP:
        wrong.append(f"the app {SHARED_APP} holds pages that every app shows: name one of your own")
    wrong += [
        f"the node {printable(node)} {what}"
        for node in nodes
        if (what := name_problem(node, longest=NODE_LENGTH))
    ]
    if wrong:
        raise UsageError("\n".join(wrong) + f"\n  -> {NAME_REMEDY}")


def _name_of(folder: Path) -> str:
    """The folder's name, without what would need an escape in TOML or Markdown."""
    return re.sub(r"[^\w .-]+", " ", folder.resolve().name).strip() or "site"


def _files(name: str, app: str, nodes: Sequence[str]) -> dict[Path, str]:
    """The text of each file, by its path in the project; the project's own file is the last."""
    words = {
        "__NAME__": name,
        "__APP__": app,
        "__NODES__": ", ".join(f"`{node}`" for node in nodes),
        "__ADDRESSES__": "\n".join(
            f"- `{node}`: http://127.0.0.1:{port}/{app}/"
            for port, node in enumerate(sorted(nodes), start=_FIRST_PORT)
        ),
    }
    files = {
        # Git and the packager would take a name with a leading dot as their own.
        Path(str(path.relative_to(_FILES)).replace("dot-", ".")): _stored(path)
        for path in sorted(_FILES.rglob("*"))
        if path.is_file()
    }
    themes = [files.pop(_BRANDING / f"{theme}.toml") for theme in ("light", "dark")]
    for number, node in enumerate(nodes):
        text = themes[number % len(themes)].replace("__NODE__", node)
        files[_BRANDING / f"{node}.toml"] = text
    files[Path(PROJECT_FILE)] = files.pop(Path(PROJECT_FILE))
    return {path: _filled(text, words) for path, text in files.items()}


def _stored_name(name: str) -> str:
    return f"dot-{name[1:]}" if name.startswith(".") else name


def _stored(path: Path) -> str:
    return path.read_text("utf-8")


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub("__[A-Z]+__", lambda found: words[found[0]], text)
