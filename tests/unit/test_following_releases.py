"""What follows a release is made of it by what differs, and is what would be made anew."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.model import Manifest, PageEntries, PageEntry, ReleaseFiles, Sha256, sha256
from robbieblocks.release.files.disk import FileStat
from robbieblocks.release.files.stat_index import StatIndex

NUMBERS = st.sets(st.integers(0, 40), max_size=30)
SHARED = ("shared-1.css", "shared-2.js")


def _entry(number: int, edition: int = 0) -> PageEntry:
    return PageEntry(
        key=f"k{number:02}",
        route=f"/{number}/",
        path=f"p{number}/index.html",
        inputs=sha256(f"{number} {edition}"),
        assets=(f"own-{number % 7}-{edition}.png", *SHARED[: number % 3]),
        no_card="none yet" if (number + edition) % 5 == 0 else "",
    )


@pytest.mark.parametrize("part", [0, 8])
@given(NUMBERS, NUMBERS, NUMBERS)
def test_entries_that_follow_are_those_made_anew(
    part: int, before: set[int], after: set[int], edited: set[int]
) -> None:
    """Whatever came, went and changed, and however much of it."""
    old = {number: _entry(number) for number in sorted(before)}
    entries = PageEntries((*old.values(),))
    new = {n: _entry(n, 1) if n in edited or n not in old else old[n] for n in sorted(after)}
    gone = [entry for number, entry in old.items() if new.get(number) is not entry]
    come = [entry for number, entry in new.items() if old.get(number) is not entry]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("robbieblocks.model.page_entries._ALTERED_PART", part)
        made = entries.altered(gone, come)
    anew = PageEntries((*new.values(),))
    assert made.pages == anew.pages
    assert made.are_in_order
    assert (made.by_key, made.by_path) == (anew.by_key, anew.by_path)
    assert (made.asset_uses, made.without_card) == (anew.asset_uses, anew.without_card)


def test_entries_in_another_order_are_put_in_order() -> None:
    """No manifest has them so, but one that somebody wrote."""
    one, two, three = map(_entry, range(3))
    made = PageEntries((two, one)).altered([], [three])
    assert made.pages == (one, two, three)
    twice = PageEntries((one, replace(one, path="other.html"), two)).altered([two], [])
    assert [page.key for page in twice.pages] == [one.key, one.key]


FILES = st.dictionaries(
    st.sampled_from([f"{folder}{n}" for folder in ("", "a/", "b/") for n in range(9)]),
    st.integers(0, 2).map(lambda n: sha256(str(n))),
    max_size=25,
)


@pytest.mark.parametrize("part", [0, 8])
@given(FILES, FILES)
def test_files_that_follow_are_those_made_anew(
    part: int, before: dict[str, Sha256], after: dict[str, Sha256]
) -> None:
    """Their lines and hash too, and what differs is told exactly."""
    changes: dict[str, Sha256 | None] = {path: after.get(path) for path in {*before, *after}}
    files = ReleaseFiles(before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("robbieblocks.model.release_files._ALTERED_PART", part)
        made = files.altered(changes)
    anew = ReleaseFiles(after)
    assert made.hashes == after
    assert (made.paths, made.lines) == (anew.paths, anew.lines)
    assert made.build_hash == Manifest(node="n", app="a", files=after).build_hash
    expected = {path for path in changes if before.get(path) != after.get(path)}
    assert made.differing(files) == anew.differing(files) == files.differing(made) == expected
    for path in before:
        rest = {each: digest for each, digest in before.items() if each != path}
        assert files.hash_without(path) == ReleaseFiles(rest).build_hash


def test_of_files_that_stay_the_lines_are_the_same_objects() -> None:
    """By that, and not by a look at each, it is seen what differs."""
    files = ReleaseFiles({f"{n:02}": sha256(str(n)) for n in range(40)})
    made = files.altered({"07": sha256("new"), "40": sha256("40"), "03": None})
    shared = {*map(id, files.lines)} & {*map(id, made.lines)}
    assert len(shared) == 38


STATS = st.dictionaries(
    st.sampled_from([f"f{n:02}" for n in range(20)]), st.tuples(st.integers(0, 9), st.just(7))
)


@pytest.mark.parametrize("part", [0, 8])
@given(STATS, STATS, st.sets(st.sampled_from([f"f{n:02}" for n in range(20)])))
def test_the_stat_index_that_follows_is_the_one_made_anew(
    part: int, before: dict[str, FileStat], changes: dict[str, FileStat], gone: set[str]
) -> None:
    """Of the files that stay it has what it had."""
    after = {path: stat for path, stat in (before | changes).items() if path not in gone}
    changes = {path: stat for path, stat in changes.items() if path in after}
    index = StatIndex.of(before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("robbieblocks.release.files.stat_index._ALTERED_PART", part)
        made = index.followed_by(sorted(after), changes)
    assert made.by_path() == {path: after[path] for path in sorted(after)}
    assert all(made.get(path) == stat for path, stat in after.items())
    assert all(made.get(path) is None for path in gone)
    assert StatIndex.of(after).dump(sha256("")) == made.dump(sha256(""))


def test_a_stat_index_makes_nothing_up() -> None:
    """Of a file that it never had."""
    index = StatIndex.of({f"f{n:02}": (n, n) for n in range(30)})
    with pytest.raises(KeyError):
        index.followed_by([*index.paths[1:], "g"], {})
