"""Which names a release may use: no path that is accepted leaves its folder."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.errors import ContentError
from robbieblocks.model import Manifest, PageEntry, sha256
from robbieblocks.release import Place, check_asset_name, check_path, dump, load
from robbieblocks.release.layout import check_manifest, folders_of

SEGMENT = st.text(
    st.characters(exclude_characters="/\\", exclude_categories=("C", "Z")), min_size=1, max_size=20
).filter(lambda text: text not in (".", ".."))
PATH = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join)


@given(st.one_of(st.text(), PATH, st.text("./\\a\0\n", max_size=12)))
def test_an_accepted_path_stays_below_the_release(path: str) -> None:
    """Normalising changes nothing, and joining stays inside."""
    if check_path(path):
        assert posixpath.normpath(path) == path
        assert posixpath.join("/release", path).startswith("/release/")
        assert not path.startswith(("/", "../"))


@given(PATH)
def test_plain_paths_are_accepted(path: str) -> None:
    """Any script will do, spaces and marks of its own included."""
    assert check_path(path) is (path not in ("manifest.json", ".seal", ".verified"))


@given(st.one_of(st.text(), st.text("./a-", max_size=8)))
def test_an_accepted_asset_is_one_segment(name: str) -> None:
    """It can't be hidden, nor lead anywhere."""
    if check_asset_name(name):
        assert "/" not in name
        assert not name.startswith(".")
        assert name.isascii()


@given(st.one_of(st.text(), st.text("./a-", max_size=8)))
def test_an_accepted_node_is_one_segment(name: str) -> None:
    """Every other name is refused as content's fault."""
    from pathlib import Path

    try:
        place = Place.of(Path("/site"), name, "play")
    except ContentError:
        return
    assert place.folder.parts == ("/", "site", name, "play")


@given(st.lists(PATH))
def test_folders_come_parents_first(paths: list[str]) -> None:
    """So they can be made in that order."""
    folders = folders_of(paths)
    assert len(folders) == len(set(folders))
    for place, folder in enumerate(folders):
        parent = folder.rpartition("/")[0]
        assert not parent or parent in folders[:place]


def test_every_fault_of_a_manifest_is_told() -> None:
    """Not only the first."""
    page = PageEntry(key="home", route="/", path="none.html", inputs=sha256(""))
    wanted = Manifest(
        node="n",
        app="play",
        files={"../x": sha256(""), "a": sha256(""), "a/b": sha256("")},
        pages=(page,),
        assets=("../y",),
    )
    with pytest.raises(ContentError) as caught:
        check_manifest(wanted)
    assert [problem.what for problem in caught.value.problems] == [
        "the path '../x' leaves the release or is reserved",
        "'a' would be both a file and a folder",
        "'../y' can't name an asset",
        "its file 'none.html' is not in the release",
    ]


NAMES = st.lists(st.text(max_size=5), max_size=4).map(tuple)
ENTRY = st.builds(
    PageEntry,
    key=st.text(max_size=5),
    route=st.text(max_size=5),
    path=PATH,
    inputs=st.just(sha256("x")),
    assets=NAMES,
    components=NAMES,
)


@given(
    st.builds(
        Manifest,
        node=st.text(max_size=5),
        app=st.text(max_size=5),
        files=st.dictionaries(PATH, st.sampled_from([sha256("a"), sha256("b")]), max_size=5),
        pages=st.lists(ENTRY, max_size=4).map(tuple),
        assets=NAMES,
        toolchain=st.text(max_size=5),
    )
)
def test_any_manifest_survives_its_json(manifest: Manifest) -> None:
    """What is read is what was written."""
    assert load(dump(manifest)) == manifest


@given(st.binary(max_size=40))
def test_garbage_is_no_manifest(content: bytes) -> None:
    """It is told by ValueError alone."""
    with pytest.raises(ValueError, match=r"(?s).*"):
        load(content)
