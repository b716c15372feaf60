"""Whole builds in a test: a database, a site root and a context, used as the commands use them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from robbieblocks import database as rows
from robbieblocks import release
from robbieblocks.model import Manifest
from robbieblocks.pipeline import BuildContext, BuildReport, Request, RunReport, Site, build
from robbieblocks.prerender import Prerenderer
from robbieblocks.release import SiteRoot
from robbieblocks.release.manifest import load
from robbieblocks.release.manifest_writer import ManifestWriter
from robbieblocks.release.names import MANIFEST
from robbieblocks.settings import Settings
from tests.databases import Databases

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class Builder:
    """One installation: `sql` is the editor, `build` the operator, `html` the visitor."""

    settings: Settings
    connection: Connection
    context: BuildContext
    now: datetime = NOW
    _site_root: SiteRoot | None = None
    said: list[str] = field(default_factory=list)

    @property
    def site_root(self) -> SiteRoot:
        """The site root, opened once."""
        if self._site_root is None:
            self._site_root = SiteRoot(self.settings.site_root)
        return self._site_root

    def build(self, **request: Any) -> BuildReport:
        """Build as the command does."""
        for name in ("pages", "apps", "nodes"):
            request[name] = tuple(request.get(name, ()))
        return build(
            Request(**request),
            context=self.context,
            connection=self.connection,
            site=Site(
                root=self.site_root,
                create=True,
                freeze_windows=self.settings.freeze_windows,
            ),
            clock=lambda: self.now,
            progress=self.said.append,
        )

    def build_approved(self, **request: Any) -> BuildReport:
        """Build, whatever the plan removes."""
        plan = self.build(dry_run=True, **request).plan
        return self.build(approved=tuple(run.hash for run in plan.runs), **request)

    def sql(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What a query returns; nothing for a statement without result."""
        assert self.settings.database_url
        with psycopg.connect(self.settings.database_url, row_factory=dict_row) as connection:
            cursor = connection.execute(query, values)
            return list(cursor.fetchall()) if cursor.description else []

    def live(self, node: str, app: str) -> Manifest | None:
        """The manifest of what is live."""
        return release.live(self.site_root, node, app)

    def html(self, node: str, app: str, path: str) -> str:
        """A file of what is live."""
        return (self.settings.site_root / node / app / "current" / path).read_text()

    def files(self, node: str, app: str) -> dict[str, bytes]:
        """Every file that is live, by path.

        A release's manifest has names in the order of those before it: that of the same release
        made from nothing is given.
        """
        root = (self.settings.site_root / node / app / "current").resolve()
        found = {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        }
        if MANIFEST in found:
            found[MANIFEST] = ManifestWriter().dump(load(found[MANIFEST]))
        return found


def run_of(report: BuildReport, node: str, app: str) -> RunReport:
    """The one run of a target."""
    (found,) = [run for run in report.runs if (run.node, run.app) == (node, app)]
    return found


MakeBuilder = Callable[..., Builder]


class KeptPrerenderer(Prerenderer):
    """Isolates that stay warm from one test to the next, as a worker's do between builds."""

    def close(self) -> None:
        """Leave one running: contexts that share it come and go."""
        self.keep_one()

    def end(self) -> None:
        """End all isolates."""
        super().close()


@pytest.fixture(scope="session")
def kept_isolates() -> Iterator[KeptPrerenderer]:
    """What renders for the tests' installations: starting it takes longer than most builds."""
    isolates = KeptPrerenderer()
    yield isolates
    isolates.end()


@dataclass(frozen=True)
class BuiltTemplate:
    """A home with the cache and the site of the seed content, and the database that it is of."""

    home: Path
    database: str


@pytest.fixture(scope="session")
def built_template(
    databases: Databases,
    seeded_template: str,
    toolchain: object,
    kept_isolates: KeptPrerenderer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BuiltTemplate]:
    """The seed content, built once on every node; tests work on copies."""
    assert toolchain
    home = tmp_path_factory.mktemp("warm")
    settings = replace(
        Settings.from_environment(), home=home, site_root=home / "site", cache=home / "cache"
    )
    with databases.copy(seeded_template) as conninfo:
        with (
            rows.connect(replace(settings, database_url=conninfo), application_name="test") as to,
            BuildContext.open(settings, lambda _: None, prerenderer=kept_isolates) as context,
        ):
            Builder(settings=settings, connection=to, context=context).build()
        yield BuiltTemplate(home, str(conninfo_to_dict(conninfo)["dbname"]))


@pytest.fixture(scope="session")
def warm_cache(built_template: BuiltTemplate) -> Path:
    """The cache of an installation that has built the seed content; tests work on copies."""
    return built_template.home / "cache"


@pytest.fixture
def make_builder(
    make_settings: Callable[..., Settings], warm_cache: Path, kept_isolates: KeptPrerenderer
) -> Iterator[MakeBuilder]:
    """Opens installations; each is closed with the test. The usual place for the cache is warm."""
    with ExitStack() as opened:

        def make(conninfo: str, **changes: Any) -> Builder:
            settings = make_settings(conninfo, **changes)
            if "cache" not in changes:
                shutil.copytree(warm_cache, settings.cache)
            connection = opened.enter_context(rows.connect(settings, application_name="test"))
            context = opened.enter_context(
                BuildContext.open(settings, lambda _: None, prerenderer=kept_isolates)
            )
            return Builder(settings=settings, connection=connection, context=context)

        yield make


@pytest.fixture
def builder(make_builder: MakeBuilder, database: str) -> Builder:
    """An installation with the schema, the tokens and the four nodes, and no pages."""
    return make_builder(database)


@pytest.fixture
def seeded(make_builder: MakeBuilder, seeded_database: str) -> Builder:
    """An installation with the seed content, not built yet."""
    return make_builder(seeded_database)


@pytest.fixture
def built(
    make_builder: MakeBuilder,
    built_template: BuiltTemplate,
    databases: Databases,
    make_settings: Callable[..., Settings],
) -> Iterator[Builder]:
    """An installation of which everything is live already, as its first build left it."""
    with databases.copy(built_template.database) as conninfo:
        settings = make_settings(conninfo)
        shutil.copytree(built_template.home, settings.home, symlinks=True)
        yield make_builder(conninfo, cache=settings.cache)
