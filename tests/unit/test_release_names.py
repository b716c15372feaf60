"""Which names a release may use: no path that is accepted leaves its folder."""

from __future__ import annotations

import json
import posixpath
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.errors import ContentError
from robbieblocks.model import Manifest, PageEntry, sha256
from robbieblocks.release import AppFolder, SiteRoot, is_asset_name
from robbieblocks.release.manifest import asset_names, load, load_files
from robbieblocks.release.manifest_writer import ManifestWriter
from robbieblocks.release.names import ManifestChecks, folders_of, is_path

SEGMENT = st.text(
    st.characters(exclude_characters="/\\", exclude_categories=("C", "Z")), min_size=1, max_size=20
).filter(lambda text: text not in (".", ".."))
PATH = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join)


@given(st.one_of(st.text(), PATH, st.text("./\\a\0\n", max_size=12)))
def test_an_accepted_path_stays_below_the_release(path: str) -> None:
    """Normalising changes nothing, and joining stays inside."""
    if is_path(path):
        assert posixpath.normpath(path) == path
        assert posixpath.join("/release", path).startswith("/release/")
        assert not path.startswith(("/", "../"))


@given(PATH)
def test_plain_paths_are_accepted(path: str) -> None:
    """Any script will do, spaces and marks of its own included."""
    first = path.partition("/")[0]
    assert is_path(path) is (first not in ("manifest.json", ".seal", ".verified"))


@pytest.mark.parametrize("name", ["manifest.json", ".seal", ".verified"])
def test_a_release_s_own_names_are_refused(name: str) -> None:
    """As files and as folders of the release itself; further down they are like any other."""
    assert not is_path(name)
    assert not is_path(f"{name}/index.html")
    assert is_path(f"play/{name}")


@given(st.one_of(st.text(), st.text("./a-", max_size=8)))
def test_an_accepted_asset_is_one_segment(name: str) -> None:
    """It can't be hidden, nor lead anywhere."""
    if is_asset_name(name):
        assert "/" not in name
        assert not name.startswith(".")
        assert name.isascii()


@given(st.one_of(st.text(), st.text("./a-", max_size=8)))
def test_an_accepted_node_is_one_segment(name: str) -> None:
    """Every other name is refused as content's fault."""
    from pathlib import Path

    try:
        app_folder = AppFolder.of(SiteRoot(Path("/site")), name, "play")
    except ContentError:
        return
    assert app_folder.path.parts == ("/", "site", name, "play")


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
        ManifestChecks().check(wanted)
    assert [problem.what for problem in caught.value.problems] == [
        "the path '../x' leaves the release or is reserved",
        "'a' would be both a file and a folder",
        "'../y' can't name an asset",
        "its file 'none.html' is not in the release",
    ]


ASSET = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,9}", fullmatch=True).filter(is_asset_name)
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


MANIFEST = st.builds(
    Manifest,
    node=st.text(max_size=5),
    app=st.text(max_size=5),
    files=st.dictionaries(PATH, st.sampled_from([sha256("a"), sha256("b")]), max_size=5),
    pages=st.lists(ENTRY, max_size=4).map(tuple),
    assets=NAMES,
    toolchain=st.text(max_size=5),
)


@given(MANIFEST)
def test_any_manifest_survives_its_json(manifest: Manifest) -> None:
    """What is read is what was written."""
    assert load(ManifestWriter().dump(manifest)) == manifest


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


@given(MANIFEST, MANIFEST)
def test_a_manifest_is_written_as_json_is(one: Manifest, other: Manifest) -> None:
    """Byte for byte, also where some of the pages were in the manifest that was written last."""
    writer = ManifestWriter()
    for manifest in (one, other, replace(other, pages=(*one.pages, *other.pages)), one):
        content = writer.dump(manifest)
        assert content == _json(json.loads(content))
        assert load(content) == manifest


@given(MANIFEST)
def test_files_are_read_alone(manifest: Manifest) -> None:
    """The same as of the whole manifest."""
    files = load_files(ManifestWriter().dump(manifest))
    assert (files.files, files.build_hash) == (manifest.files, manifest.build_hash)


@given(MANIFEST, st.lists(ASSET), st.lists(ASSET))
def test_assets_are_read_alone(manifest: Manifest, own: list[str], its: list[str]) -> None:
    """Those of the release and of its pages, as long as they can name assets."""
    page = PageEntry(key="k", route="/", path="p", inputs=sha256(""), assets=tuple(its))
    content = ManifestWriter().dump(replace(manifest, pages=(page,), assets=tuple(own)))
    assert asset_names(content) == frozenset({*own, *its})


def test_assets_of_a_manifest_that_is_cut_off_are_not_known() -> None:
    """Nothing is made up, and nobody takes them for a release without assets."""
    content = ManifestWriter().dump(
        Manifest(node="n", app="a", files={}, assets=("a-1.js", "b-2.js"))
    )
    assert asset_names(content) == frozenset({"a-1.js", "b-2.js"})
    assert asset_names(content[: content.index(b"b-2")]) is None


@given(st.binary(max_size=40))
def test_garbage_is_no_manifest(content: bytes) -> None:
    """It is told by ValueError alone."""
    for read in (load, load_files):
        with pytest.raises(ValueError, match=r"(?s).*"):
            read(content)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (sha256("a").encode(), sha256("b").encode()),
        (b'"files":{', b'"files":['),
        (b'"files":{', b'"files":{"x":null,'),
        (b'"files":{', b'"fils":{'),
        (b"}}\n", b""),
        (b'"build_hash":', b'"built_hash":'),
    ],
)
def test_files_that_are_not_those_of_the_hash_are_no_manifest(old: bytes, new: bytes) -> None:
    """Whatever was changed in them."""
    content = ManifestWriter().dump(Manifest(node="n", app="a", files={"a": sha256("a")}))
    assert old in content
    with pytest.raises(ValueError, match=r"(?s).*"):
        load_files(content.replace(old, new))


def test_what_is_new_in_a_manifest_is_checked() -> None:
    """Though the rest of it was found to be right before."""
    checks = ManifestChecks()
    good = {"a/b": sha256("1"), "c": sha256("2")}
    checks.check(Manifest(node="n", app="play", files=good))
    for path, what in (("../x", "leaves"), ("a", "both"), ("c/d", "both")):
        with pytest.raises(ContentError, match=what):
            checks.check(Manifest(node="n", app="play", files={**good, path: sha256("3")}))
    checks.check(Manifest(node="n", app="play", files={"a": sha256("1")}))
