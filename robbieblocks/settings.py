"""Where things are: read once from the project's file and the environment, and passed down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import platformdirs

from robbieblocks.check_rules import LEVELS, RULES
from robbieblocks.errors import UsageError

if TYPE_CHECKING:
    from robbieblocks.source_files import Table

PROJECT_FILE: Final = "robbieblocks.toml"

_PACKAGE = Path(__file__).resolve().parent
# Any of these says which database is meant; the others of libpq complete an address.
_NAME_A_DATABASE: Final = ("PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE")


def resource_dir(name: str) -> Path:
    """The folder `templates`, `node_branding` or `schema`: of the checkout, or in the wheel."""
    packaged = _PACKAGE / "_data" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


@dataclass(frozen=True, slots=True)
class Setting:
    """The reference entry of one setting, in Markdown.

    `key` is its table and key in robbieblocks.toml; a setting has that, a `variable`, or both.
    `choices` are its values, where it can't have others.
    """

    variable: str
    key: str
    default: str
    meaning: str
    choices: tuple[str, ...] = ()


SETTINGS: Final = (
    Setting("", "project.name", "none", "what people call the project; nothing depends on it"),
    Setting(
        "ROBBIEBLOCKS_CONTENT",
        "project.content",
        "`content`",
        "the folder that `content export`, `import` and `diff` use",
    ),
    Setting(
        "ROBBIEBLOCKS_TEMPLATES",
        "project.templates",
        "in a project `templates`, where that is there",
        "a folder of layouts, base styles and favicon that come before the package's: it needs "
        "only what differs",
    ),
    Setting(
        "ROBBIEBLOCKS_NODE_BRANDING",
        "project.node_branding",
        "`node_branding`",
        "the folder of each node's reviewed branding, which `content` exports and imports too",
    ),
    Setting(
        "ROBBIEBLOCKS_DATABASE_URL",
        "database.url",
        "the embedded server; for `worker` and `prune` only with `--embedded`",
        "the database, as a libpq URL or conninfo. "
        f"{', '.join(f'`{name}`' for name in _NAME_A_DATABASE)} override the key. Keep a password "
        "in the variable: the file is for everybody",
    ),
    Setting(
        "ROBBIEBLOCKS_SITE_ROOT", "site.root", "`site` in the home", "the sites: one folder a node"
    ),
    Setting(
        "ROBBIEBLOCKS_SMOKE_URL",
        "site.smoke_url",
        "nothing is fetched",
        "where visitors reach the node: changed pages are fetched there after each swap, and wrong "
        "ones swap it back",
    ),
    Setting(
        "ROBBIEBLOCKS_HEALTH",
        "worker.health",
        "`127.0.0.1:9464`",
        "where a worker answers `/healthz`, `/readyz` and `/metrics`; `off` for nowhere",
    ),
    Setting(
        "ROBBIEBLOCKS_HOME",
        "",
        "`.robbieblocks`",
        "the home: what this installation makes and keeps. In a project it lies beside the file",
    ),
    Setting(
        "ROBBIEBLOCKS_CACHE",
        "",
        "`cache` in the home",
        "compiled and rendered results; losing it costs time only. It is made private (0700); "
        "another user's is not read",
    ),
    Setting(
        "ROBBIEBLOCKS_TOOLCHAIN_CACHE",
        "",
        "the user's cache folder",
        "esbuild, React and fonts, fetched once. Refused where it is neither yours nor root's, or "
        "others may write it",
    ),
    *(
        Setting(
            "",
            f"checks.{rule.name}",
            f"`{rule.level}`",
            f"[check](checks.md): {rule.finds}",
            LEVELS,
        )
        for rule in RULES
    ),
)

_KEYS: Final = {setting.variable: setting.key for setting in SETTINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Folders and addresses of one installation.

    Where `database_url` is None, libpq's own variables name the database, or else the embedded
    server under `home` is used. `project` is the project's file, None outside of one. The first of
    the folders `templates` that has a file provides it. `checks` has the level of each rule,
    `in_file` what the project's file says, by table and key.
    """

    database_url: str | None
    home: Path
    site_root: Path
    cache: Path
    toolchain_cache: Path
    templates: tuple[Path, ...]
    content: Path
    node_branding: Path
    schema: Path
    project: Path | None = None
    health: str | None = None
    smoke_url: str | None = None
    checks: Mapping[str, str] = field(default_factory=dict[str, str])
    in_file: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def from_environment(cls, *, database_url: str | None = None) -> Settings:
        """Settings as docs/settings.md lists them: from variables, then from the project's file.

        `database_url` overrides both. Folders become absolute: those of the file are relative to
        it. What is set to nothing is not set. Raises UsageError for a file with a mistake.
        """
        project = _project_file()
        given = _Given(project)
        home = given.folder("ROBBIEBLOCKS_HOME", ".robbieblocks")
        return cls(
            database_url=database_url or given.database_url(),
            home=home,
            site_root=given.folder("ROBBIEBLOCKS_SITE_ROOT", home / "site"),
            cache=given.folder("ROBBIEBLOCKS_CACHE", home / "cache"),
            toolchain_cache=given.folder(
                "ROBBIEBLOCKS_TOOLCHAIN_CACHE",
                platformdirs.user_cache_path("robbieblocks") / "toolchain",
            ),
            templates=given.templates(),
            content=given.folder("ROBBIEBLOCKS_CONTENT", "content"),
            node_branding=given.folder("ROBBIEBLOCKS_NODE_BRANDING", "node_branding"),
            schema=resource_dir("schema"),
            project=project,
            health=given.text("ROBBIEBLOCKS_HEALTH"),
            smoke_url=given.text("ROBBIEBLOCKS_SMOKE_URL"),
            checks={rule.name: given.key(f"checks.{rule.name}") or rule.level for rule in RULES},
            in_file=given.in_file,
        )


class _Given:
    """What the environment and the project's file say."""

    def __init__(self, project: Path | None) -> None:
        self._project = project
        self._base = _current_folder() if project is None else project.parent
        self.in_file = {} if project is None else _read(project)

    def text(self, variable: str) -> str | None:
        return os.environ.get(variable) or self.key(_KEYS[variable])

    def key(self, key: str) -> str | None:
        return self.in_file.get(key) or None

    def folder(self, variable: str, default: str | Path) -> Path:
        if named := os.environ.get(variable):
            return Path(named).absolute()
        return self._base / (self.key(_KEYS[variable]) or default)

    def database_url(self) -> str | None:
        variable = "ROBBIEBLOCKS_DATABASE_URL"
        if any(map(os.environ.get, _NAME_A_DATABASE)):
            return os.environ.get(variable) or None
        return self.text(variable)

    def templates(self) -> tuple[Path, ...]:
        variable, packaged = "ROBBIEBLOCKS_TEMPLATES", resource_dir("templates")
        own = self.folder(variable, "templates")
        if self.text(variable) is None and (self._project is None or not own.is_dir()):
            return (packaged,)
        return (own, packaged)


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the current folder can't be read: {error.strerror}\n"
            "  -> change into one that is there"
        ) from error


def _project_file() -> Path | None:
    """The project's file of the current folder, or of the nearest folder above it."""
    folder = _current_folder()
    files = (each / PROJECT_FILE for each in (folder, *folder.parents))
    return next((file for file in files if os.path.lexists(file)), None)


def _read(file: Path) -> dict[str, str]:
    """The values of a project's file, by table and key."""
    # Most commands run without such a file, and need no TOML.
    from robbieblocks.source_files import ProblemCollector, read_toml

    collector = ProblemCollector(Path(), (file.parent,))
    table = read_toml(collector, file)
    found = {} if table is None else _values(table)
    if collector.problems:
        raise UsageError("\n".join(map(str, collector.problems)))
    return found


def _values(table: Table) -> dict[str, str]:
    from robbieblocks.messages import did_you_mean, printable

    found: dict[str, str] = {}
    tables: dict[str, Table] = {}
    for setting in SETTINGS:
        name, _, key = setting.key.partition(".")
        if key:
            inner = tables.get(name) or tables.setdefault(name, table.table(name))
            value = found[setting.key] = inner.string(key) or ""
            if value and setting.choices and value not in setting.choices:
                inner.report(key, f'is "{printable(value)}"', did_you_mean(value, setting.choices))
    for each in (table, *tables.values()):
        each.finish()
    return found


def file_schema() -> dict[str, Any]:
    """The JSON Schema of robbieblocks.toml."""
    from robbieblocks.source_files import outline

    made = outline(_values)
    for setting in SETTINGS:
        table, _, key = setting.key.partition(".")
        if key:
            entry = made["properties"][table]["properties"][key]
            entry["description"] = setting.meaning
            if setting.choices:
                entry["enum"] = ["", *setting.choices]
    return made


def reference() -> str:
    """The text of docs/settings.md."""
    rows = (
        " | ".join((_code(each.variable), _code(each.key), each.default, each.meaning))
        for each in SETTINGS
    )
    return "\n".join((_REFERENCE, *(f"| {row} |" for row in rows), ""))


def _code(name: str) -> str:
    return f"`{name}`" if name else ""


_REFERENCE: Final = f"""# Settings

`{PROJECT_FILE}` makes its folder a *project*. Commands find it in the current folder or in the
nearest one above. It needs no key at all; each is a string below its table:

```toml
[project]
name = "My site"

[site]
root = "/srv/site"
```

A variable overrides the file's key, and an option both. Relative folders of the file count from
its own folder, those of a variable from the current one. What is set to nothing is not set. Without
such a file, the current folder takes the project's place. In a project, a new embedded database is
empty; elsewhere it has the demo's content.

| variable | key in `{PROJECT_FILE}` | default | meaning |
|---|---|---|---|"""
