"""What tests share: the real toolchain, a real Postgres with a database per test, a real Chromium.

Nothing here is a stand-in. A thing that a machine lacks is a skip for a person and a failure
where CI=true (tests/needs.py).
"""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import signal
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import psutil
import pytest

from robbieblocks import collector
from robbieblocks.process import sweep_temporary_folders
from robbieblocks.settings import Settings
from tests import forked, memory
from tests.databases import Databases
from tests.needs import missing

if TYPE_CHECKING:
    from robbieblocks.cache import Cache
    from robbieblocks.toolchain import Toolchain, TypeScript

# A shell without job control has what it starts in the background ignore Ctrl-C, children and all.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


pytest_plugins = [
    "tests.browser.fixtures",
    "tests.building",
    "tests.pages",
    "tests.sites",
    "tests.commands",
    "tests.killing",
    "tests.workers",
    "tests.s3_server",
]

# How long an example takes is the machine's affair; in CI the same examples run every time.
hypothesis.settings.register_profile("laptop", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "laptop")

MakeSettings = Callable[..., Settings]

_SETTINGS = Settings.from_environment()
_SCHEMA_FILES = [
    _SETTINGS.schema / "unified-schema" / name
    for name in ("21-robbieblocks-cms.sql", "22-media.sql", "24-forms.sql")
]
_LEAVE_SECONDS = 30.0
_MARK = "ROBBIEBLOCKS_TEST_SESSION"


def pytest_configure() -> None:
    """Have pytest make its folders in memory, unless somebody named a place.

    And have commands keep what Python compiles: where a machine's environment forbids that, each of
    some thousand processes would compile every module anew, which is half of its time.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    memory.sweep()
    if memory.is_roomy():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory.PLACE))


def pytest_xdist_auto_num_workers() -> int:
    """Three workers for each two processors.

    A test often waits for what another process does by and by: two workers leave a third of two
    processors unused.
    """
    processors = os.cpu_count() or 1
    return processors + (processors + 1) // 2


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector from walking through thousands of tests, which stay to the end."""
    with collector.paused():
        collected = yield
    gc.freeze()
    return collected


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with browser tests come last, and those with the longest tests first.

    Once Playwright runs, its event loop runs in this thread, and mini-racer waits in none. A long
    test at the end would have all other workers wait for one. So of the last files, those with the
    most tests come first.
    """
    count = Counter(item.path for item in items)
    late = {item.path for item in items if item.get_closest_marker("browser")}
    long = {item.path for item in items if item.get_closest_marker("chaos")}

    def place(item: pytest.Item) -> tuple[bool, bool, int]:
        path = item.path
        return path in late, path not in long, -count[path] if path in late else 0

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No process and no temporary file outlives the tests.

    Every child inherits a mark in its environment, and a folder of this session as its place
    for temporary files.
    """
    mark = uuid.uuid4().hex
    place = tmp_path_factory.mktemp("tmp")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TMPDIR", "TEMP", "TMP"):
            patch.setenv(name, str(place))
        patch.setenv(_MARK, mark)
        # A person's own settings are no part of what is tested.
        for name in [name for name in os.environ if name.startswith(("PG", "ROBBIEBLOCKS_"))]:
            if name not in {_MARK, "ROBBIEBLOCKS_TOOLCHAIN_CACHE"}:
                patch.delenv(name)
        patch.setattr(tempfile, "tempdir", None)
        yield
        forked.end()
        deadline = time.monotonic() + _LEAVE_SECONDS
        while (left := _processes(mark)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not left, f"still running after the tests: {left}"
        # As whoever comes next does: some tests kill processes while they compile.
        sweep_temporary_folders()
        # Chromium removes its own a moment after it has ended.
        files = sorted(
            path.name for path in place.iterdir() if not path.name.startswith(".org.chromium.")
        )
        assert not files, f"left in the folder for temporary files: {files}"


def _processes(mark: str) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(_MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {' '.join(process.cmdline())[:200]}")
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """The locked esbuild, React and fonts, from the person's own cache."""
    from robbieblocks.errors import ToolchainUnavailable
    from robbieblocks.toolchain import ensure

    try:
        return ensure(Settings.from_environment(), lambda _: None)
    except ToolchainUnavailable as error:
        missing(str(error))


@pytest.fixture(scope="session")
def typescript() -> TypeScript:
    """The locked TypeScript, from the person's own cache."""
    from robbieblocks.errors import ToolchainUnavailable
    from robbieblocks.toolchain import ensure_typescript

    try:
        return ensure_typescript(Settings.from_environment(), lambda _: None)
    except ToolchainUnavailable as error:
        missing(str(error))


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    """An empty cache."""
    from robbieblocks.cache import Cache

    with Cache(tmp_path / "cache") as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An embedded server of this session's own; the conninfo of its owner role."""
    from robbieblocks.database import embedded

    home = tmp_path_factory.mktemp("home")
    with embedded.server(home, progress=lambda _: None) as conninfo:
        yield conninfo
    # The keeper holds its lock until the server has ended; then nobody writes there any more.
    with (home / "postgres" / "keeper").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def databases(postgres: str) -> Iterator[Databases]:
    """What makes a database on the session's server."""
    made = Databases(postgres)
    yield made
    made.close()


@pytest.fixture(scope="session")
def schema_template(databases: Databases) -> Iterator[str]:
    """The name of a database with our schema."""
    schema = b"\n".join(file.read_bytes() for file in _SCHEMA_FILES)
    with databases.template("robbieblocks", lambda connection: connection.execute(schema)) as name:
        yield name


@pytest.fixture(scope="session")
def seeded_template(databases: Databases, schema_template: str) -> Iterator[str]:
    """The name of a database with our schema and the seed content."""
    from robbieblocks import content

    seed = content.load(_SETTINGS.schema / "content", _SETTINGS.node_branding)
    with databases.template(schema_template, lambda to: content.seed(to, seed)) as name:
        yield name


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[str]:
    """The conninfo of a database without our schema."""
    with databases.copy() as conninfo:
        yield conninfo


@pytest.fixture
def database(databases: Databases, schema_template: str) -> Iterator[str]:
    """The conninfo of a database of this test's own: our schema, and the rows it brings."""
    with databases.copy(schema_template) as conninfo:
        yield conninfo


@pytest.fixture
def seeded_database(databases: Databases, seeded_template: str) -> Iterator[str]:
    """The same with the seed content."""
    with databases.copy(seeded_template) as conninfo:
        yield conninfo


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """Settings of an installation in a folder of the test's own; keywords change fields."""

    def make(database_url: str | None = None, **changes: Any) -> Settings:
        home = tmp_path / "installation"
        settings = Settings.from_environment(database_url=database_url)
        places = {"home": home, "site_root": home / "site", "cache": home / "cache"}
        return replace(settings, **{**places, **changes})

    return make


@pytest.fixture
def settings(make_settings: MakeSettings, database: str) -> Settings:
    """Settings that name the test's own `database`."""
    return make_settings(database)
