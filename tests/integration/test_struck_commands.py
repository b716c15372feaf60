"""Commands that write rows or files, struck at each of their steps: nothing is half done or lost,
one error says what to do, and the same command makes it good.

A step is a statement, a file that is opened to be written, made, moved or removed, or a request to
a bucket. Before it the command is killed, its database session is ended, or the disk is full from
then on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks.objectstore import Address, Bucket
from tests.commands import Ran
from tests.databases import Databases
from tests.media_files import png
from tests.s3_server import Front
from tests.victims import Victims, victims

# By hand every step is tried with each strike; in `make test` so many of each command.
TRIED = int(os.environ.get("ROBBIEBLOCKS_STRIKES", "8"))
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.chaos,
    pytest.mark.timeout(300 if TRIED < 100 else 0),
]
_BESIDE = "'{id,page_id,component_id,created_at,updated_at}'::text[]"
STRIKES = ("kill", "cut", "full")

VICTIM = """
import errno, os, signal, sys
what, at, place, *arguments = sys.argv[1:]
reached, is_full = 0, False

def step():
    global reached, is_full
    reached += 1
    if reached != int(at):
        return
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "cut":
        # The hook counts no step of this one.
        with CONNECT(os.environ["CUT_BY"], autocommit=True) as other:
            other.pgconn.exec_(
                b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                b"WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    elif what == "full":
        is_full = True

import psycopg
from robbieblocks.objectstore import Bucket
CONNECT, WAIT = psycopg.connect, psycopg.Connection.wait

def wait(self, *given, **named):
    step()
    return WAIT(self, *given, **named)

def counted(method):
    def call(*given, **named):
        step()
        return method(*given, **named)
    return call

def audited(event, given):
    if event == "open":
        path, mode, flags = given
        writes = flags & (os.O_WRONLY | os.O_RDWR)
    elif event in ("os.mkdir", "os.rename", "os.link", "os.symlink"):
        path, writes = given[0], True
    elif event in ("os.remove", "os.rmdir"):
        path, writes = given[0], False
        if str(path).startswith(place):
            step()
    else:
        return
    if writes and str(path).startswith(place):
        step()
        if is_full and event != "os.rename":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

psycopg.Connection.wait = wait
for name in ("put", "put_bound", "get", "delete", "list"):
    setattr(Bucket, name, counted(getattr(Bucket, name)))
os.chdir(place)
sys.addaudithook(audited)
sys.argv = ["robbieblocks", *arguments]
from robbieblocks.cli import main
try:
    main()
finally:
    if what == "count":
        os.write(1, f"\\n{reached}".encode())
"""
IMPORTS = """
import robbieblocks.cli, robbieblocks.cli.content.content
import robbieblocks.cli.media.media, robbieblocks.cli.history.changes
"""


@dataclass
class Place:
    """A project and its database, in which a command runs."""

    folder: Path
    database_url: str
    s3: Front
    commands: Victims

    def run(self, what: str, at: int, *arguments: str) -> Ran:
        """Run a command, with something that happens before one of its steps."""
        environment = {
            **os.environ,
            "ROBBIEBLOCKS_HOME": str(self.folder / ".robbieblocks"),
            "ROBBIEBLOCKS_DATABASE_URL": self.database_url,
            "CUT_BY": make_conninfo(self.database_url, user="postgres"),
        }
        return self.commands.run(
            what, str(at), str(self.folder), *arguments, environment=environment
        )

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def content(self) -> object:
        """All rows of content, with what is remembered of imports."""
        return [
            self.rows(f"SELECT to_jsonb(t) - {_BESIDE} FROM {table} t ORDER BY 1")
            for table in (
                "robbieblocks_pages",
                "robbieblocks_page_blocks",
                "robbieblocks_components",
                "robbieblocks_style_tokens",
                "media_assets",
            )
        ]

    def files(self) -> dict[str, bytes]:
        """The files of the project, but for what the program keeps for itself."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and ".robbieblocks" not in path.parts
        }

    def media(self) -> object:
        """The bytes of each file of media, wherever they lie."""
        bucket = Bucket(Address.parse(self.s3.url, endpoint=self.s3.address))
        found: dict[str, object] = {}
        for key, content, address in self.rows(
            "SELECT media_key, content, content_address FROM media_assets"
        ):
            data = content
            if address is not None:
                assert content is None
                held = bucket.get(str(address).removeprefix(f"{self.s3.url}/"))
                data = held and held.data
            assert isinstance(data, bytes)
            found[str(key)] = hashlib.sha256(data).hexdigest()
        return found


@dataclass(frozen=True)
class Door:
    """A command, what is there before it, and what it may leave: `state` is either as before or as
    after it, `whole` is the same all the time."""

    prepare: Callable[[Place], tuple[str, ...]]
    state: Callable[[Place], object] | None = None
    whole: Callable[[Place], object] = lambda _: None
    done: Callable[[Place], object] = Place.content
    # How it ends where it was done already.
    again: int = 0


def write(place: Place, name: str, text: str | bytes) -> None:
    file = place.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)


def project(place: Place) -> None:
    """A small project, imported, with one more page in the database."""
    write(place, "robbieblocks.toml", "")
    write(place, "content/components/card/component.tsx", "export default () => <p>card</p>;\n")
    write(
        place,
        "content/components/card/component.toml",
        'name = "Card"\ntype = "x"\nversion = "1.0.0"\n',
    )
    for name in ("one", "two"):
        write(
            place,
            f"content/pages/{name}.toml",
            f'key = "{name}"\napp = "play"\nname = "{name}"\nroute = "/{name}/"\n'
            'layout = "single-column"\nstatus = "published"\n'
            '[[blocks]]\norder = 1\nzone = "main"\ncomponent = "card"\n',
        )
    write(place, "content/media/shot.png", png(8, 6))
    (place.folder / "node_branding").mkdir()
    ran = place.run("nothing", 0, "content", "import")
    assert ran.code == 0, ran.err


def importing(place: Place) -> tuple[str, ...]:
    project(place)
    card = "content/components/card/component.tsx"
    write(place, card, "export default () => <p>another</p>;\n")
    (place.folder / "content/pages/one.toml").unlink()
    write(place, "content/media/more.png", png(9, 9))
    return ("content", "import", "--prune")


def importing_to_a_bucket(place: Place) -> tuple[str, ...]:
    arguments = importing(place)
    _name_bucket(place)
    return arguments


def undoing(place: Place) -> tuple[str, ...]:
    project(place)
    with psycopg.connect(place.database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM robbieblocks_pages WHERE page_key = 'one'")
    query = "SELECT id FROM robbieblocks_change_triggers ORDER BY created_at DESC LIMIT 1"
    ((change,),) = place.rows(query)
    return ("changes", "undo", str(change))


def exporting(place: Place) -> tuple[str, ...]:
    project(place)
    with psycopg.connect(place.database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM robbieblocks_pages WHERE page_key = 'one'")
        connection.execute("UPDATE robbieblocks_pages SET meta_title = 'exported'")
        connection.execute("UPDATE robbieblocks_components SET css_styles = '.a { color: red }'")
        connection.execute("UPDATE media_assets SET alt = 'A shot'")
    return ("content", "export", "--prune", "--ours", "all")


def adding(place: Place) -> tuple[str, ...]:
    project(place)
    write(place, "new.png", png(5, 5))
    _name_bucket(place)
    return ("media", "add", "new.png", "--key", "shot")


def moving(place: Place) -> tuple[str, ...]:
    project(place)
    for number in range(3):
        write(place, f"content/media/more-{number}.png", png(5 + number, 5))
    assert place.run("nothing", 0, "content", "import").code == 0
    _name_bucket(place)
    return ("media", "move", "--to", "bucket")


def moving_back(place: Place) -> tuple[str, ...]:
    there = moving(place)
    assert place.run("nothing", 0, *there).code == 0
    return ("media", "move", "--to", "database")


def _name_bucket(place: Place) -> None:
    write(
        place,
        "robbieblocks.toml",
        f'[media]\nbucket = "{place.s3.url}"\nendpoint = "{place.s3.address}"\n',
    )


def places(place: Place) -> object:
    return place.rows("SELECT media_key, content_address FROM media_assets ORDER BY media_key")


DOORS = {
    "content import": Door(importing, Place.content),
    "content import, with a bucket": Door(importing_to_a_bucket, Place.content),
    "changes undo": Door(undoing, Place.content, again=1),
    "content export": Door(exporting, done=Place.files),
    "media add": Door(adding, places, done=Place.media),
    "media move": Door(moving, whole=Place.media, done=places),
    "media move back": Door(moving_back, whole=Place.media, done=places),
}


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    """Runs commands to which something happens."""
    with victims(VICTIM, IMPORTS, tmp_path_factory.mktemp("victims")) as made:
        yield made


@pytest.mark.parametrize("name", DOORS)
def test_a_struck_command_leaves_nothing_half_done(
    name: str,
    commands: Victims,
    databases: Databases,
    schema_template: str,
    s3: Front,
    tmp_path: Path,
) -> None:
    """Its rows are all as before or all as after it; it says what went wrong; and run once more, it
    has done the same as where nothing happened."""
    door = DOORS[name]
    prepared = Place(tmp_path / "prepared", "", s3, commands)
    arguments: list[str] = []

    def prepare(connection: psycopg.Connection) -> None:
        # Committed first: the command has a session of its own.
        connection.commit()
        prepared.database_url = make_conninfo(
            connection.info.dsn, password=connection.info.password
        )
        arguments.extend(door.prepare(prepared))

    with databases.template(schema_template, prepare) as template:

        def struck(what: str, at: int) -> Ran:
            folder = tmp_path / "place"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(prepared.folder, folder)
            with databases.copy(template) as conninfo:
                place = Place(folder, conninfo, s3, commands)
                return _strike(place, door, tuple(arguments), what, at, expected)

        expected: list[object] = []
        count = int(struck("count", 0).out.splitlines()[-1])
        assert count
        everything = [(what, at) for at in range(1, count + 1) for what in STRIKES]
        # Of all steps and strikes so many, apart by what no number of strikes divides.
        every = max(1, len(everything) // TRIED) | 1
        for what, at in everything[::every]:
            struck(what, at)


def _strike(
    place: Place, door: Door, arguments: tuple[str, ...], what: str, at: int, expected: list[object]
) -> Ran:
    before, whole = door.state and door.state(place), door.whole(place)
    ran = place.run(what, at, *arguments)
    if what == "count":
        expected.extend((door.state and door.state(place), door.done(place)))
        assert ran.code in (0, door.again), ran.err
        return ran
    if what == "kill":
        assert ran.code == -signal.SIGKILL, (ran.code, ran.err)
    elif ran.code not in (0, door.again):
        assert ran.error
    assert "Traceback" not in ran.err
    between = door.state and door.state(place)
    assert between in (before, expected[0]), (before, between, ran.err)
    assert door.whole(place) == whole
    again = place.run("nothing", 0, *arguments)
    was_done = door.state is not None and between == expected[0] != before
    assert again.code in ((0, door.again) if was_done or not door.state else (0,)), again.err
    assert "Traceback" not in again.err
    assert door.done(place) == expected[1], (what, at, again.err)
    assert door.whole(place) == whole
    left = [path for path in place.folder.rglob(".*.new") if ".robbieblocks" not in path.parts]
    assert not left
    return ran
