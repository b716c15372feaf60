"""The folder `media/`: into the table and back, byte for byte, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from robbieblocks.content import Content, as_rows, export, import_, load, stored, too_large
from robbieblocks.errors import ContentError
from robbieblocks.snapshot import take
from tests.media_files import png

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robbieblocks.content import RowMerge

pytestmark = pytest.mark.postgres

_QUEUE = "SELECT count(*) FROM robbieblocks_change_triggers WHERE entity_type = 'media'"


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a picture of which there is something to say, and a file without."""
    media = tmp_path / "content" / "media"
    media.mkdir(parents=True)
    (media / "harbour.png").write_bytes(png(3, 2))
    (media / "harbour.png.toml").write_text('alt = "Dawn"\nfocal_point = "50% 20%"\n')
    (media / "ads.txt").write_bytes(b"one\r\ntwo")
    (media / "ads.txt.toml").write_text('served_path = "/ads.txt"\n')
    (media / "menu.pdf").write_bytes(b"%PDF-1.7 \0\xff")
    return tmp_path / "content"


def _actions(merged: tuple[RowMerge, ...]) -> dict[str, str]:
    return {row.name.key: row.action for row in merged if row.name.kind == "media"}


def _files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "media").iterdir()}


def test_import_and_export_are_byte_for_byte(
    connection: psycopg.Connection, folder: Path, tmp_path: Path
) -> None:
    """A second import writes nothing; an export elsewhere gives the same files, and stays."""
    assert set(_actions(import_(connection, load(folder))).values()) == {"add"}
    assert connection.execute(_QUEUE).fetchone() == (3,)
    assert connection.execute(
        "SELECT media_type, width, height, size_bytes, alt FROM media_assets"
        " WHERE media_key = 'harbour'"
    ).fetchone() == ("image/png", 3, 2, len(png(3, 2)), "Dawn")
    assert set(_actions(import_(connection, load(folder))).values()) == {"unchanged"}
    assert connection.execute(_QUEUE).fetchone() == (3,)
    other = tmp_path / "other"
    export(stored(connection), other, tmp_path / "branding")
    assert _files(other) == _files(folder)
    assert export(stored(connection), other, tmp_path / "branding").written == ()
    assert load(other).media == load(folder).media


def test_a_change_on_both_sides_is_a_conflict(connection: psycopg.Connection, folder: Path) -> None:
    """Of the bytes as of words; a change on one side is taken, and only one side is overwritten."""
    import_(connection, load(folder))
    (folder / "media" / "menu.pdf").write_bytes(b"%PDF-1.7 new")
    connection.execute("UPDATE media_assets SET alt = 'Dusk' WHERE media_key = 'harbour'")
    merged = import_(connection, load(folder))
    assert _actions(merged) == {"harbour": "keep", "menu": "update", "ads": "unchanged"}
    export(stored(connection), folder, folder.parent / "branding")
    assert 'alt = "Dusk"' in (folder / "media" / "harbour.png.toml").read_text()
    (folder / "media" / "menu.pdf").write_bytes(b"%PDF-1.7 newer")
    connection.execute("UPDATE media_assets SET content = '%PDF-1.7 own' WHERE media_key = 'menu'")
    assert _actions(import_(connection, load(folder)))["menu"] == "conflict"


def test_a_file_that_is_gone_is_removed_with_prune(
    connection: psycopg.Connection, folder: Path
) -> None:
    """As rows of other kinds are."""
    import_(connection, load(folder))
    (folder / "media" / "menu.pdf").unlink()
    assert _actions(import_(connection, load(folder)))["menu"] == "keep"
    assert _actions(import_(connection, load(folder), prune=True))["menu"] == "remove"
    assert connection.execute("SELECT count(*) FROM media_assets").fetchone() == (2,)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a b.png", png(1, 1), "a b.png: has a key"),
        ("a.png", b"GIF89a", "its bytes are image/gif"),
        ("a.exe", b"MZ", "no known kind"),
        ("gone.png.toml", b"", "tells of a file that is not there"),
        ("harbour.png.toml", b"alt = 1", "alt"),
        ("harbour.png.toml", b"colour = 1", "colour"),
        ("harbour.png.toml", b"focal_point = '1'", "no pair of percentages"),
        ("harbour.png.toml", b"served_path = 'x'", "served_path"),
        ("harbour.png.toml", b"alt = 'a'\nis_decorative = true", "decorative"),
        ("harbour.webp", b"RIFF\0\0\0\0WEBP", "has the key"),
    ],
    ids=range(10),
)
def test_a_mistake_names_the_file(folder: Path, name: str, content: bytes, message: str) -> None:
    """Each with what to do; nothing of the folder is imported."""
    (folder / "media" / name).write_bytes(content)
    with pytest.raises(ContentError) as raised:
        load(folder)
    assert message in str(raised.value)
    assert "content/media/" in str(raised.value)


def test_a_folder_among_media_is_told_where_its_files_go(folder: Path) -> None:
    """Whatever its name; what desktops put there is no file of anybody's."""
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (folder / "media" / name).write_bytes(b"x")
    before = load(folder).media
    assert len(before) == 3
    for name in ("summer", "summer 2025"):
        (folder / "media" / name).mkdir()
        with pytest.raises(ContentError, match=r"is a folder.*\n.*move its files into media/"):
            load(folder)
        (folder / "media" / name).rmdir()


def test_a_file_that_leads_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    """A symlink to a file elsewhere is named, and not read."""
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "media" / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(ContentError, match="symlink that leads out"):
        load(folder)


def test_a_file_beyond_the_limit_is_named(folder: Path) -> None:
    """With its size and the setting."""
    (folder / "media" / "large.txt").write_bytes(bytes(2 << 20) + b"x")
    (problem,) = too_large(load(folder).media, 2)
    assert problem.key == "large"
    assert "2.0 MB, at most 2" in problem.what
    assert "media.size_max_mb" in problem.remedy


def test_a_folder_gives_the_rows_of_a_database(
    connection: psycopg.Connection, folder: Path
) -> None:
    """A preview's rows are those of a build, and so are the bytes."""
    files = load(folder)
    import_(connection, files)
    now = take(connection)
    made = as_rows(files, taken_at=now.taken_at)
    assert made.media == now.media
    assert made.media_content("menu") == now.media_content("menu") == b"%PDF-1.7 \0\xff"
    assert take(connection, previous=now).media is now.media


def test_a_row_that_no_file_can_hold_is_told(connection: psycopg.Connection, folder: Path) -> None:
    """An export leaves its file as it is."""
    import_(connection, load(folder))
    connection.execute("UPDATE media_assets SET focal_point = 'left' WHERE media_key = 'harbour'")
    held = stored(connection)
    assert [str(name) for name in held.unreadable] == ["media/harbour"]
    before = _files(folder)
    export(held, folder, folder.parent / "branding", prune=True)
    assert _files(folder) == before


def test_a_database_without_media_has_none(connection: psycopg.Connection) -> None:
    """Reading and importing content work as before file 22."""
    connection.execute("DROP TABLE media_assets")
    assert stored(connection).content.media == ()
    assert take(connection).media == {}
    assert import_(connection, Content()) is not None
