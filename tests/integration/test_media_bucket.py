"""Media in a bucket: read by builds, put there by commands, and missed by `check`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import psycopg
import pytest
import typer

from robbieblocks import history
from robbieblocks.checks import Checked
from robbieblocks.checks.rules.media import lost_media
from robbieblocks.cli.content import content as content_command
from robbieblocks.cli.media import media as command
from robbieblocks.cli.media import prune
from robbieblocks.cli.operating.doctor.kept import media_bucket
from robbieblocks.content import Content, export, import_, load, media_objects, media_of, stored
from robbieblocks.database import schema
from robbieblocks.errors import BucketUnavailable, ContentError, UsageError
from robbieblocks.history import Asked
from robbieblocks.model import MediaObject, sha256
from robbieblocks.objectstore import Original, Originals, Stored, Unreadable
from robbieblocks.pipeline import Site
from robbieblocks.settings import MediaBucketSettings, Settings
from robbieblocks.worker.agenda import Job
from robbieblocks.worker.builder import PipelineBuilder
from tests.building import run_of
from tests.s3_server import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.building import Builder
    from tests.conftest import MakeSettings
    from tests.s3_server import Front

pytestmark = pytest.mark.postgres

NODE, APP = "vengeance-local", "play"
PDF = b"%PDF-1.7 menu"
_CODE = "export default ({ file }) => <p>{file ? <a href={file.src}>Menu</a> : 'none'}</p>;"
_SCHEMA = json.dumps({"file": {"type": "string", "format": "media"}})
_ADD = (
    "INSERT INTO media_assets (media_key, file_name, media_type, content_address, content_hash,"
    " size_bytes) VALUES (%s, 'menu.pdf', 'application/pdf', %s, %s, %s)"
)


@pytest.fixture
def originals(s3: Front) -> Originals:
    """The bucket of the test's own."""
    return Originals(MediaBucketSettings(url=s3.url, endpoint=s3.address))


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


@pytest.fixture
def project(s3: Front, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a project with one file of media, whose settings name the bucket."""
    (tmp_path / "robbieblocks.toml").write_text(
        f'[media]\nbucket = "{s3.url}"\nendpoint = "{s3.address}"\n'
    )
    (tmp_path / "content" / "media").mkdir(parents=True)
    (tmp_path / "node_branding").mkdir()
    (tmp_path / "content" / "media" / "menu.pdf").write_bytes(PDF)
    monkeypatch.setenv("ROBBIEBLOCKS_DATABASE_URL", database)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _add(connection: psycopg.Connection, key: str, held: MediaObject) -> None:
    connection.execute(_ADD, [key, held.address, held.hash, held.size])


def _imported() -> None:
    content_command.import_(
        None,
        dry_run=False,
        prune=False,
        theirs=("all",),
        ours=(),
        format_="text",
        database_url=None,
        branding_alone=False,
    )


def _place(builder: Builder, key: str, props: dict[str, str]) -> None:
    builder.sql(
        "WITH page AS (INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name,"
        " page_route, layout_template, status) VALUES (%s, 'play', 'P', %s, 'single-column',"
        " 'published') RETURNING id) INSERT INTO robbieblocks_page_blocks (page_id, component_id,"
        " block_order, zone, props) SELECT page.id, c.id, 1, 'main', %s::jsonb"
        " FROM page, robbieblocks_components c WHERE component_key = 'link'",
        key,
        f"/{key}",
        json.dumps(props),
    )


def test_a_page_waits_for_its_object_and_no_other_page_does(
    builder: Builder, originals: Originals, s3: Front
) -> None:
    """While the bucket refuses, the page is held back by an error that says so, and the bucket is
    left alone; then the page goes out by itself, and what was made of the file needs it no more."""
    now = 0.0
    originals.monotonic = lambda: now
    builder.context.media.originals = originals
    builder.sql(
        "INSERT INTO robbieblocks_components (component_key, component_name, component_type,"
        " react_code, props_schema, is_published) VALUES ('link', 'Link', 'content', %s, %s, true)",
        _CODE,
        _SCHEMA,
    )
    _add(builder.connection, "menu", originals.put(PDF))
    _place(builder, "a", {"file": "media:menu"})
    _place(builder, "b", {})
    s3.refuse = lambda _request: (403, "AccessDenied")
    worker = PipelineBuilder(
        node=NODE,
        settings=builder.settings,
        site=Site(root=builder.site_root, create=True),
        connect=lambda: builder.connection,
        on_phase=builder.said.append,
        log=Mock(),
        _context=builder.context,
    )
    started = datetime.now(UTC)
    built = worker.build(Job(apps=(APP,), reason="start"), {})
    again = built.boundaries[APP]
    assert again is not None
    assert again >= started + timedelta(seconds=10)
    (run,) = (run for run in built.runs if run.app == APP)
    assert [page.key for page in run.held_back] == ["a"]
    assert "media:menu lies in a bucket: could not read s3://" in run.error
    assert "403 AccessDenied" in run.error
    assert SECRET not in run.error
    assert "none" in builder.html(NODE, APP, "b/index.html")
    assert originals.again_in_s == 10.0
    s3.requests.clear()
    assert run_of(builder.build(nodes=[NODE]), NODE, APP).held_back
    assert s3.requests == []
    now = 11.0
    assert run_of(builder.build(nodes=[NODE]), NODE, APP).held_back
    assert originals.again_in_s == 20.0
    now, s3.refuse = 40.0, lambda _request: None
    assert run_of(builder.build(nodes=[NODE]), NODE, APP).error == ""
    address = builder.html(NODE, APP, "a/index.html").split('href="/_rb/menu-')[1].split('"')[0]
    asset = builder.settings.site_root / NODE / "assets" / f"menu-{address}"
    assert asset.read_bytes() == PDF
    assert not originals.is_troubled
    s3.refuse = lambda _request: (403, "AccessDenied")
    builder.sql("UPDATE robbieblocks_pages SET meta_title = 'New' WHERE page_key = 'a'")
    assert run_of(builder.build(nodes=[NODE]), NODE, APP).error == ""
    assert "<title>New" in builder.html(NODE, APP, "a/index.html")


def test_nothing_is_believed_of_an_object_that_is_not_its_row_s(
    originals: Originals, s3: Front
) -> None:
    """Other bytes, more of them, none at all, keys and buckets that are not the media's: each is an
    answer of its own, within the row's size, and is not asked for again at once."""
    bucket, good = s3.bucket(), originals.put(PDF)
    assert originals.put(PDF) == good
    assert originals.read(good) == PDF
    bucket.put(Stored(key="own/Hafen.pdf", data=PDF, content_type="", cache_control=""))
    own = f"{bucket.address}own/Hafen.pdf"
    assert originals.read(MediaObject(own, good.hash, good.size)) == PDF
    for wrong, said in (
        (MediaObject(own, good.hash, 5), "other bytes than"),
        (MediaObject(own, sha256(b"x"), good.size), "other bytes than"),
        (MediaObject(f"{bucket.address}none", good.hash, 5), "there is no such object"),
        (MediaObject("s3://other/own/Hafen.pdf", good.hash, good.size), "which is not in s3://"),
        (MediaObject(f"{bucket.address}a/../b", good.hash, 5), "no key that media have"),
        (MediaObject(f"{bucket.address}", good.hash, 5), "no key that media have"),
        (MediaObject("", good.hash, 5), "which is not in s3://"),
    ):
        found = originals.read(wrong)
        assert isinstance(found, Unreadable)
        assert said in found.what
        assert found.remedy
        s3.requests.clear()
        assert originals.read(wrong) == found
        assert s3.requests == []
    unnamed = Originals(None).read(good)
    assert isinstance(unnamed, Unreadable)
    assert "no bucket is named" in unnamed.what
    with pytest.raises(UsageError, match="no bucket for media"):
        Originals(None).put(PDF)


def test_files_go_into_the_bucket_and_come_back_byte_for_byte(
    project: Path, connection: psycopg.Connection, originals: Originals, s3: Front
) -> None:
    """An import puts what is new there and alters no bytes for a word; an export elsewhere writes
    the same files. One whose object is gone is named, and the others are written."""
    media = project / "content" / "media"
    (media / "more.pdf").write_bytes(b"%PDF-1.7 more")
    _imported()
    assert set(media_objects(connection)) == {"menu", "more"}
    assert connection.execute("SELECT count(content) FROM media_assets").fetchone() == (0,)
    s3.requests.clear()
    (media / "menu.pdf.toml").write_text('served_path = "/menu.pdf"\n')
    _imported()
    assert s3.written == []
    assert set(media_objects(connection)) == {"menu", "more"}
    other = project / "other"
    exported = export(stored(connection), other, project / "nodes", originals=originals)
    assert exported.unreadable == ()
    names = {file.name for file in (other / "media").iterdir()}
    assert names == {"menu.pdf", "menu.pdf.toml", "more.pdf"}
    assert (other / "media" / "menu.pdf").read_bytes() == PDF
    assert load(other).media == load(project / "content").media
    s3.bucket().delete([f"{sha256(PDF)[:2]}/{sha256(PDF)[2:]}"])
    third = project / "third"
    (problem,) = export(
        stored(connection), third, project / "nodes", originals=originals
    ).unreadable
    assert (problem.key, problem.field) == ("menu", "content_address")
    assert (third / "media" / "more.pdf").exists()
    connection.execute("DELETE FROM media_assets WHERE media_key = 'menu'")
    import_(connection, load(project / "content"), side=lambda _: "theirs", originals=originals)
    assert originals.read(media_objects(connection)["menu"]) == PDF


def test_an_import_writes_nothing_while_the_bucket_refuses(
    project: Path, connection: psycopg.Connection, s3: Front
) -> None:
    """Not even the rows that need none."""
    s3.refuse = lambda _request: (403, "AccessDenied")
    with pytest.raises(BucketUnavailable, match="403 AccessDenied"):
        _imported()
    assert connection.execute("SELECT count(*) FROM media_assets").fetchone() == (0,)


def test_bytes_move_between_the_database_and_the_bucket(
    project: Path,
    connection: psycopg.Connection,
    originals: Originals,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No page is made anew for it: the queue has no row of it. What can't be read stays."""
    (project / "robbieblocks.toml").rename(project / "settings")
    _imported()
    queue = connection.execute("SELECT count(*) FROM robbieblocks_change_triggers").fetchone()
    assert media_objects(connection) == {}
    with pytest.raises(UsageError, match="no bucket for media"):
        command.move((), to="bucket", database_url=None)
    (project / "settings").rename(project / "robbieblocks.toml")
    with pytest.raises(UsageError, match="did you mean menu"):
        command.move(("menue",), to="bucket", database_url=None)
    command.move((), to="bucket", database_url=None)
    (held,) = media_objects(connection).values()
    assert (held.hash, held.size) == (sha256(PDF), len(PDF))
    capsys.readouterr()
    command.list_(format_="json", database_url=None)
    (row,) = json.loads(capsys.readouterr().out)["media"]
    assert (row["key"], row["address"], row["size_bytes"]) == ("menu", held.address, len(PDF))
    command.move(("menu",), to="database", database_url=None)
    assert connection.execute("SELECT content, content_address FROM media_assets").fetchall() == [
        (PDF, None)
    ]
    assert connection.execute("SELECT count(*) FROM robbieblocks_change_triggers").fetchone() == (
        queue
    )
    _add(connection, "lost", MediaObject(f"{held.address}0", held.hash, 5))
    with pytest.raises(typer.Exit):
        command.move((), to="database", database_url=None)
    said = capsys.readouterr()
    assert "media lost" in said.err
    assert "0 files moved" in said.out


def test_files_are_added_by_hand(
    project: Path,
    connection: psycopg.Connection,
    originals: Originals,
    s3: Front,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Into the bucket that is named, in place of what has the key. An object that was lost is put
    there again. What is wrong is named."""
    new = b"%PDF-1.7 new"
    (project / "new.pdf").write_bytes(new)
    for _ in range(2):
        command.add([Path("new.pdf")], key="menu", alt="The menu", database_url=None)
        assert connection.execute("SELECT media_key, alt FROM media_assets").fetchall() == [
            ("menu", "The menu")
        ]
        (held,) = media_objects(connection).values()
        assert originals.read(held) == new
        s3.bucket().delete([f"{held.hash[:2]}/{held.hash[2:]}"])
    assert "already there: media:menu" in capsys.readouterr().out
    (project / "new.exe").write_bytes(b"MZ")
    with pytest.raises(ContentError, match="is no known kind of file"):
        command.add([Path("new.exe")], key=None, alt=None, database_url=None)
    with pytest.raises(UsageError, match="for one file"):
        command.add([Path("a.pdf"), Path("b.pdf")], key="x", alt=None, database_url=None)


def test_what_nothing_needs_is_removed_from_the_bucket(
    project: Path,
    connection: psycopg.Connection,
    originals: Originals,
    s3: Front,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Once it is old enough; what a row, a change of the last 30 days or the journal names stays,
    as does what others put there. Without --apply nothing goes, nor for another's database.
    """
    files = {name: b"%PDF-1.7 " + name.encode() for name in ("used", "was", "told", "spare", "new")}
    held = {name: originals.put(content) for name, content in files.items()}
    bucket, at = s3.bucket(), {each.address: each for each in originals.listed()}
    bucket.put(Stored(key="own/Hafen.pdf", data=PDF, content_type="", cache_control=""))
    past = datetime.now(UTC) - timedelta(hours=30)

    def listed(self: Originals) -> Iterator[Original]:
        for each in real(self):
            is_new = each.address == held["new"].address
            yield each if is_new else replace(each, modified=past)

    def pruned(*, apply: bool, url: str | None = None) -> dict[str, Any]:
        prune.run(apply=apply, older_than_hours=24, limit=100, format_="json", database_url=url)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    real = Originals.listed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Originals, "listed", listed)
        with pytest.raises(UsageError, match="nothing of this database lies in the bucket"):
            pruned(apply=True)
        assert len(list(real(originals))) == 6
        for name in ("used", "was", "told"):
            _add(connection, name, held[name])
        connection.execute("DELETE FROM media_assets WHERE media_key <> 'used'")
        connection.execute("DELETE FROM earlier_media WHERE content_hash = %s", [held["told"].hash])
        found = pruned(apply=False)
        assert (found["needed"], found["young"], found["foreign"]) == (3, 1, 1)
        assert [each["address"] for each in found["objects"]] == [held["spare"].address]
        assert len(list(real(originals))) == 6
        assert pruned(apply=True)["objects"] == found["objects"]
        left = {each.address for each in real(originals)}
        assert left == {*at, f"{bucket.address}own/Hafen.pdf"} - {held["spare"].address}
        assert pruned(apply=True)["objects"] == []


def test_a_file_that_is_put_again_is_young(originals: Originals, s3: Front) -> None:
    """So none is removed between its bytes and its row."""
    originals.put(PDF)
    s3.requests.clear()
    originals.put(PDF)
    assert len(s3.written) == 2
    assert "if-none-match" not in {name.lower() for name in s3.requests[-1].headers}


def test_doctor_tries_the_bucket(
    originals: Originals, s3: Front, make_settings: MakeSettings
) -> None:
    """What is refused is told apart, with what comes of it and the right to give; nothing stays."""
    site = replace(make_settings(""), media_bucket=originals.settings)

    def told() -> dict[str, str]:
        return {each.remedy: each.state for each in media_bucket(site)}

    assert [*told().values()] == ["ok"]
    assert list(originals.listed()) == []
    s3.refuse = lambda request: (403, "AccessDenied") if request.method == "PUT" else None
    (remedy,) = told()
    assert "s3:PutObject" in remedy
    s3.refuse = lambda request: (403, "AccessDenied") if "?" not in request.path else None
    assert {remedy.split()[3]: state for remedy, state in told().items()} == {
        "s3:GetObject": "broken",
        "s3:PutObject": "note",
    }
    s3.refuse = lambda _request: (403, "AccessDenied")
    assert [*told().items()] == [
        ("let this account read, list, write and delete below the prefix", "broken")
    ]


def test_a_missing_object_is_a_finding(
    connection: psycopg.Connection,
    originals: Originals,
    s3: Front,
    make_settings: MakeSettings,
) -> None:
    """One of another size, too; and that the bucket could not be asked."""
    good = originals.put(PDF)
    _add(connection, "good", good)
    _add(connection, "gone", MediaObject(f"{good.address}0", good.hash, good.size))
    _add(connection, "small", MediaObject(good.address, good.hash, 5))

    given: Any = {"inspection": None, "objects": media_objects(connection)}
    site = replace(make_settings(""), media_bucket=originals.settings)
    checked = Checked(**given, settings=site, progress=print)
    found = {each.problem.key: each.problem.what for each in lost_media(checked)}
    assert found.keys() == {"gone", "small"}
    assert "there is no such object" in found["gone"]
    assert "13 bytes, the row says 5" in found["small"]
    s3.refuse = lambda _request: (403, "AccessDenied")
    (only,) = lost_media(checked)
    assert "it is not known whether 3 files" in only.problem.what


def test_changes_of_files_in_a_bucket_are_undone(
    connection: psycopg.Connection, originals: Originals
) -> None:
    """Replaced by another object, by bytes, and deleted; a row says one place and its hash."""
    first, second = originals.put(PDF), originals.put(b"%PDF-1.7 second")
    row = "SELECT content, content_address, content_hash, size_bytes FROM media_assets"
    _add(connection, "menu", first)
    for statement in (
        f"UPDATE media_assets SET content_address = '{second.address}',"
        f" content_hash = '{second.hash}', size_bytes = {second.size}",
        "UPDATE media_assets SET content = 'bytes'",
        f"UPDATE media_assets SET content = 'bytes', content_address = '{second.address}'",
        "DELETE FROM media_assets",
    ):
        before = connection.execute(row).fetchall()
        connection.execute(statement)
        assert connection.execute(row).fetchall() != before
        history.undo(connection, history.changes(connection, Asked(limit=1))[0])
        assert connection.execute(row).fetchall() == before
    for wrong in (
        "content_address = NULL",
        "content_hash = 'x'",
        "size_bytes = -1",
    ):
        with pytest.raises(psycopg.errors.CheckViolation, match="media_assets_place_check"):
            connection.execute(f"UPDATE media_assets SET {wrong}")
    connection.execute("UPDATE media_assets SET content = 'bytes'")
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("UPDATE media_assets SET content_address = 's3://a/b'")


def test_a_database_from_before_knows_no_bucket(
    connection: psycopg.Connection, originals: Originals, tmp_path: Path
) -> None:
    """Its files are read as they were; an import into a bucket asks for an upgrade, after which
    nothing is missed."""
    for table in ("media_assets", "earlier_media"):
        connection.execute(
            f"ALTER TABLE {table} DROP COLUMN content_address;"
            f" ALTER TABLE {table} ALTER COLUMN content SET NOT NULL"
        )
    (tmp_path / "menu.pdf").write_bytes(PDF)
    files = Content(media=media_of([tmp_path / "menu.pdf"]))
    import_(connection, files)
    (row,) = stored(connection).content.media
    assert row.read() == PDF
    assert media_objects(connection) == {}
    (tmp_path / "menu.pdf").write_bytes(PDF + b"!")
    files = Content(media=media_of([tmp_path / "menu.pdf"]))
    with pytest.raises(Exception, match="db upgrade"):
        import_(connection, files, side=lambda _: "theirs", originals=originals)
    schema.upgrade(connection)
    assert schema.verify(connection) == ()
    import_(connection, files, side=lambda _: "theirs", originals=originals)
    assert set(media_objects(connection)) == {"menu"}


def test_the_bucket_of_media_is_not_the_one_that_visitors_read(project: Path, s3: Front) -> None:
    """A photo as it was taken says where that was."""
    settings = Settings.from_environment().media_bucket
    assert settings == MediaBucketSettings(url=s3.url, endpoint=s3.address)
    text = (project / "robbieblocks.toml").read_text()
    (project / "robbieblocks.toml").write_text(
        f'{text}[bucket]\nurl = "s3://{s3.url.split("/")[2]}/{{node}}"\nendpoint = "{s3.address}"\n'
    )
    with pytest.raises(UsageError, match=r"media\.bucket and bucket.url are in one bucket"):
        Settings.from_environment()
