"""The development server's parts that need neither database nor browser."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from watchfiles import Change

from robbieblocks import content
from robbieblocks.bundle import linked
from robbieblocks.content import ContentPlaces, start_project
from robbieblocks.dev.builder import Builder
from robbieblocks.dev.events import Events
from robbieblocks.dev.failures import Failures
from robbieblocks.dev.problems import as_said, as_shown
from robbieblocks.dev.site import NodeSite, with_client
from robbieblocks.dev.watching import watch_database, watch_folders
from robbieblocks.dev.workshop.catalogue import Catalogue
from robbieblocks.errors import Problem, ProcessFailed
from robbieblocks.model import Asset, Bundle, Manifest, Module, NodeRow, PageEntry, sha256
from robbieblocks.pipeline import PreviewedRun, Target
from robbieblocks.pipeline.publishing import ComposedRun
from robbieblocks.settings import Settings
from tests.unit.rows import a_component, a_node, a_snapshot


def module(key: str, code: str, *imports: str) -> Module:
    return Module(
        specifier=f"@robbieblocks/{key}",
        asset=Asset.of(key, "js", code),
        script="",
        imports=imports,
    )


def bundle(**codes: tuple[str, tuple[str, ...]]) -> Bundle:
    modules = [module(key, code, *imports) for key, (code, imports) in codes.items()]
    react = Module(specifier="react", asset=Asset.of("react", "js", "export{}"), script="")
    return Bundle(
        modules={each.specifier: each for each in (*modules, react)},
        runtime=react,
        base_stylesheet=Asset.of("base", "css", ""),
    )


def test_linked_modules_follow_what_they_import() -> None:
    """A module names what it imports by file, so its own name changes with that, however deep; what
    imports nothing, a package's name, and a text that only looks like an import stay."""
    text = 'const a=`from"@robbieblocks/other"`;'
    codes = {
        "top": (
            'import m from"@robbieblocks/mid";import"react";' + text,
            ("@robbieblocks/mid", "react"),
        ),
        "mid": ('export*from"@robbieblocks/leaf";', ("@robbieblocks/leaf",)),
        "leaf": ("export default 1", ()),
        "other": ("export default 2", ()),
    }
    before = linked(bundle(**codes)).modules
    after = linked(bundle(**codes | {"leaf": ("export default 3", ())})).modules
    top = before["@robbieblocks/top"].asset.content.decode()
    assert before["@robbieblocks/mid"].asset.url in top
    assert text in top
    assert 'import"react"' in top
    changed = {name for name in before if before[name].asset.name != after[name].asset.name}
    assert changed == {f"@robbieblocks/{key}" for key in ("top", "mid", "leaf")}


def test_a_page_is_told_which_version_it_is() -> None:
    """The client's script stands in the head, and differs where the page does."""
    page = with_client(b"<head><title>a</title></head><body></head></body>")
    assert page.index(b"/_rb-dev/main.js") < page.index(b"</head>")
    assert page.count(b"data-rb-dev") == 1
    assert page != with_client(b"<head><title>b</title></head><body></head></body>")
    assert b"/_rb-dev/main.js" in with_client(b"no head")


def composed(
    files: Mapping[str, bytes],
    *assets: Asset,
    new: tuple[str, ...],
    warnings: Mapping[str, tuple[Problem, ...]] | None = None,
) -> ComposedRun:
    manifest = Manifest(
        node="a",
        app="play",
        files={path: sha256(body) for path, body in files.items()},
        pages=tuple(
            PageEntry(key=path, route=f"/{path}", path=path, inputs=sha256(body))
            for path, body in files.items()
        ),
        assets=tuple(asset.name for asset in assets),
    )
    return ComposedRun(
        manifest=manifest,
        contents={path: files[path] for path in new},
        assets={asset.name: asset for asset in assets},
        failed={},
        warnings=warnings or {},
    )


def run(made: ComposedRun | None) -> PreviewedRun:
    return PreviewedRun(target=Target("a", "play"), composed=made, problems=())


def test_a_node_shows_what_its_runs_made() -> None:
    """What a run did not make again stays, as does all of one that failed; an app without a run is
    gone; and an asset that an open page may still ask for is there for a while."""
    site, old, new = NodeSite("a"), Asset.of("a", "js", "1"), Asset.of("a", "js", "2")
    site.update([run(composed({"a.txt": b"1", "b.txt": b"1"}, old, new=("a.txt", "b.txt")))])
    first = site.version
    site.update([run(composed({"a.txt": b"2", "b.txt": b"1"}, new, new=("a.txt",)))])
    (release,) = site.read()
    assert [release.content(path) for path in ("a.txt", "b.txt")] == [b"2", b"1"]
    assert [site.asset(each.name) for each in (old, new)] == [b"1", b"2"]
    second = site.version
    site.update([run(None)])
    assert site.version == second != first
    site.update([])
    assert (list(site.read()), site.version) == ([], "")
    with pytest.raises(FileNotFoundError):
        site.asset("other-0000000000000000.js")


def test_a_warning_stays_as_long_as_its_page() -> None:
    """What composing a page warned of is told until it is composed anew, or gone."""
    site = NodeSite("a")
    warning = Problem(entity="page", key="a.txt", what="it is large", severity="warning")
    files, told = {"a.txt": b"1", "b.txt": b"1"}, {"a.txt": (warning,), "b.txt": ()}
    site.update([run(composed(files, new=("a.txt", "b.txt"), warnings=told))])
    for made in (composed(files, new=()), None):
        site.update([run(made)])
        assert site.warnings == (warning,)
    site.update([run(composed(files, new=("a.txt",), warnings={"a.txt": ()}))])
    assert site.warnings == ()


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Builder:
    """One for a node, without a database; `preview` is to be replaced."""

    def nodes(_: object) -> tuple[NodeRow, ...]:
        return (a_node("day"),)

    def nothing(*_: object, **__: object) -> Any:
        return MagicMock()

    monkeypatch.setattr("robbieblocks.dev.builder.BuildContext.open", nothing)
    monkeypatch.setattr("robbieblocks.dev.builder.database.connect", nothing)
    monkeypatch.setattr("robbieblocks.dev.builder.snapshot.nodes", nodes)
    settings = replace(Settings.from_environment(), content=tmp_path / "none")
    return Builder(settings=settings, nodes=(), events=Events(), say=MagicMock())


def test_a_fault_ends_neither_the_builder_nor_is_told_twice(
    monkeypatch: pytest.MonkeyPatch, builder: Builder
) -> None:
    """Each build fails, and a place can't be looked up: the thread goes on, and says it once."""
    made: list[object] = []
    said: list[str] = []
    builder.say = said.append

    def failing(*_: object, **__: object) -> tuple[PreviewedRun, ...]:
        made.append(object())
        if len(made) == 3:
            builder.stop()
        builder.wake()
        raise ValueError(f"broken {made[-1]!r}")

    def unreadable(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("robbieblocks.dev.builder.preview", failing)
    monkeypatch.setattr("robbieblocks.dev.builder.ContentPlaces.of", unreadable)
    builder.run()
    assert builder.started.result() == ("day",)
    assert len(made) == 3
    assert sum("Traceback" in line for line in said) == 1
    assert "broken" in str(builder.state("day")["problems"])


class _Woken(threading.Event):
    """Is set by the workshop at the first wait, and by a row while that is taken; then it ends."""

    def __init__(self, builder: Builder, done: list[str]) -> None:
        super().__init__()
        self._builder = builder
        self._done = done

    def wait(self, timeout: float | None = None) -> bool:
        if "wait" in self._done:
            self._builder.stop()
        else:
            self._builder.stage()
        self._done.append("wait")
        return super().wait(timeout)

    def clear(self) -> None:
        if self._done[-1] == "wait":
            self._builder.wake()
        super().clear()


def test_a_change_at_the_moment_of_another_is_built(
    monkeypatch: pytest.MonkeyPatch, builder: Builder
) -> None:
    """A row that changes while the builder turns to the workshop is built at once."""
    done: list[str] = []

    def preview(*_: object, **__: object) -> tuple[PreviewedRun, ...]:
        done.append("build")
        return ()

    monkeypatch.setattr("robbieblocks.dev.builder.preview", preview)
    monkeypatch.setattr(builder, "_woken", _Woken(builder, done))
    builder.run()
    assert done == ["build", "wait", "build", "wait"]


def test_a_problem_of_a_row_names_its_file(tmp_path: Path) -> None:
    """In the browser and in the terminal alike, each place once; a file's own problem names it."""
    start_project(tmp_path / "site", "site", ["day"])
    folder = tmp_path / "site/content"
    places = ContentPlaces(folder, tmp_path / "site/node_branding")
    problem = Problem(
        entity="page", key="home", page="home", block=1, field="zone", what="no such zone"
    )
    before, _, _ = (folder / "pages/home.toml").read_text().partition("zone = ")
    file = f"{folder}/pages/home.toml:{len(before.splitlines()) + 1}"
    where = "page home, block 1, zone"
    assert as_said(problem, places) == f"{where}: no such zone\n  in {file}"
    assert as_shown(problem, places) == {"where": where, "file": file, "text": "no such zone"}
    of_file = Problem(entity="file", key="content/pages/home.toml", line=2, what="it is wrong")
    assert as_said(of_file, places) == str(of_file)
    assert as_shown(of_file, places)["file"] == ""


def test_the_database_is_listened_to_again_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no error of ours is said once, and ends no thread."""
    stopped = threading.Event()
    said: list[str] = []
    tries: list[object] = []

    def connect(*_: object, **__: object) -> object:
        tries.append(object())
        if len(tries) == 3:
            stopped.set()
        raise OSError("too many open files")

    monkeypatch.setattr("robbieblocks.dev.watching.database.connect", connect)
    monkeypatch.setattr("robbieblocks.dev.watching._PAUSE_S", 0)
    watch_database(Settings.from_environment(), lambda: None, stopped, said.append)
    assert len(tries) == 3
    assert said == ["listening to the database failed: too many open files"]


def test_a_component_is_not_wrong_for_a_page_that_places_it_wrongly() -> None:
    """The list marks components whose own code, styles or schema are wrong."""
    catalogue = Catalogue()
    problems = [
        Problem(entity="component", key=key, page="home", block=1, field=field, what="wrong")
        for key, field in (("card", "zone"), ("bar", "react_code"))
    ]
    rows = (a_component("card"), a_component("bar"))
    catalogue.saw(a_snapshot(components=rows), content.Content(), problems)
    assert [(each["key"], each["wrong"]) for each in catalogue.listed()] == [
        ("bar", True),
        ("card", False),
    ]


def test_a_schema_that_is_none_makes_no_controls() -> None:
    """The workshop says what is wrong with it, and shows the component without it."""
    catalogue = Catalogue()
    row = a_component("card", schema={"type": "object", "allOf": 5})
    catalogue.saw(a_snapshot(components=(row,)), content.Content(), ())
    found = catalogue.of("card", {}, Path())
    assert found is not None
    assert found["schema"] == {}
    assert str(found["schemaProblem"]).startswith("at /allOf: ")


def test_streams_end_with_the_server() -> None:
    """A stream tells the state, then each other state, and ends when the events are closed."""
    states = iter(["1", "1", "2"])
    events = Events()

    def state() -> str:
        asyncio.get_running_loop().call_soon(events.tell)
        return next(states)

    async def read() -> list[str]:
        told: list[str] = []
        async for text in events.stream(state):
            told.append(text)
            if text == "data: 2\n\n":
                events.close()
        return told

    assert asyncio.run(asyncio.wait_for(read(), 20)) == ["data: 1\n\n", "data: 2\n\n"]


def test_a_folder_that_goes_and_comes_back_is_watched(tmp_path: Path) -> None:
    """A file that is saved, a folder that goes, its return, and a file in it are each noticed,
    beside one that can't be looked at; so is that the watch has begun, for what came before."""
    folder = tmp_path / "content"
    folder.mkdir()
    seen: list[set[Path]] = []
    noticed, stopped = threading.Event(), threading.Event()

    def note(paths: set[Path]) -> None:
        seen.append(paths)
        noticed.set()

    def until_noticed(*any_of: Path) -> None:
        while not any(not paths.isdisjoint(any_of) for paths in seen):
            assert noticed.wait(20)
            noticed.clear()
        seen.clear()

    thread = threading.Thread(
        target=watch_folders, args=([folder, tmp_path / ("x" * 300)], note, stopped, print)
    )
    thread.start()
    try:
        for _ in range(2):
            # Nothing is told of a file that is saved before the watch is there, but of its folder.
            # It may have been told of when it went: then the watch may still not be there.
            until_noticed(folder)
            (folder / "a.toml").write_text("a = 1")
            until_noticed(folder / "a.toml", folder)
            shutil.rmtree(folder)
            until_noticed(folder)
            folder.mkdir()
            until_noticed(folder)
    finally:
        stopped.set()
        thread.join(20)
    assert not thread.is_alive()


def test_what_the_watch_loses_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that is made, written or removed and of which nothing is told is found once, also in a
    new folder; one that was told is not found again; and editors' own files are not looked at."""
    folder, stopped = tmp_path / "content", threading.Event()
    (folder / "pages").mkdir(parents=True)
    old, new, told = folder / "old.toml", folder / "pages/new/a.toml", folder / "pages/told.toml"
    old.write_text("a = 1")
    seen: list[set[Path]] = []

    def losing(*_: object, **__: object) -> Iterator[set[tuple[Change, str]]]:
        yield set()
        new.parent.mkdir()
        new.write_text("a = 1")
        told.write_text("a = 1")
        yield {(Change.added, str(told))}
        yield set()
        new.write_text("a = 10")
        (folder / ".git").mkdir()
        (folder / ".git/index").touch()
        (folder / "a.toml~").touch()
        yield set()
        old.unlink()
        yield set()
        yield set()
        stopped.set()

    monkeypatch.setattr("robbieblocks.dev.watching.watch", losing)
    monkeypatch.setattr("robbieblocks.dev.watching._LOOK_MS", 0)
    monkeypatch.setattr("robbieblocks.dev.watching._SHARE", 0)
    watch_folders([folder], seen.append, stopped, print)
    # At the start and at the end the whole folder counts as changed.
    assert seen == [{folder}, {new, told}, {new}, {old}, {folder}]


def test_what_failed_for_now_is_tried_sooner_than_all_is_compared(
    monkeypatch: pytest.MonkeyPatch, builder: Builder
) -> None:
    """After as long as it took; a comparison of what did not change may take a small share."""
    now = [0.0]
    made: list[object] = []
    pauses: list[float | None] = []

    def preview(*_: object, **__: object) -> tuple[PreviewedRun, ...]:
        made.append(object())
        now[0] += 10.0
        if len(made) == 2:
            raise ProcessFailed("it ran out of time")
        return ()

    class Woken(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout)
            if len(pauses) == 3:
                builder.stop()
            return False

    monkeypatch.setattr("robbieblocks.dev.builder.preview", preview)
    monkeypatch.setattr("robbieblocks.dev.builder.time.monotonic", lambda: now[0])
    monkeypatch.setattr(builder, "_woken", Woken())
    builder.run()
    assert pauses == [0.0, 10.0, 200.0]


def test_files_without_a_mistake_are_read(tmp_path: Path) -> None:
    """A page, a component and a node with a mistake are left out and named; the others are read."""
    start_project(tmp_path / "site", "site", ["day", "night"])
    folder, branding = tmp_path / "site/content", tmp_path / "site/node_branding"
    (folder / "pages/bad.toml").write_text("name = 3\n")
    (folder / "components/bad").mkdir()
    (folder / "components/bad/component.toml").write_text('name = "a"\ntype = "b"\n')
    (branding / "night.toml").write_text("nonsense")
    found, problems = content.load_sound(folder, branding)
    assert [row.key for row in found.pages] == ["home"]
    assert [row.key for row in found.components] == ["markdown", "welcome"]
    assert [row.id for row in found.nodes] == ["day"]
    assert found.tokens
    names = {problem.key for problem in problems}
    assert {"content/pages/bad.toml", "content/components/bad"} <= names
    assert any("night.toml" in name for name in names)


MAPPED_NAME, MAP_NAME = "plain-0123456789abcdef.js", "plain-fedcba9876543210.map"
# The compiled `t` is the stored `tell`, at column 5 of the second line.
MAPPED = {
    MAPPED_NAME: f"\U0001f600 t()\n//# sourceMappingURL={MAP_NAME}\n".encode(),
    MAP_NAME: json.dumps(
        {
            "version": 3,
            "sources": ["a%2Fplain.tsx"],
            "sourcesContent": ["\n\U0001f600  tell()"],
            "names": ["tell"],
            "mappings": "GACIA",
        }
    ).encode(),
}


def failed(**sent: Any) -> Problem | None:
    return Failures(MappedFiles(MAPPED)).problem(sent)


class MappedFiles(dict[str, bytes]):
    """Files by name, asked for as a site's assets."""

    def __call__(self, name: str) -> bytes:
        """A file. Raises FileNotFoundError."""
        if name not in self:
            raise FileNotFoundError(name)
        return self[name]


@pytest.mark.parametrize(
    "stack",
    [
        f"TypeError: t is not a function\n    at x (http://127.0.0.1:8000/_rb/{MAPPED_NAME}:1:4)",
        f"x@http://localhost:8000/_rb/react-0123456789abcdef.js:8:1\n"
        f"x@http://localhost:8000/_rb/{MAPPED_NAME}:1:4",
    ],
)
def test_a_failure_in_a_browser_leads_to_the_stored_line(stack: str) -> None:
    """The innermost frame of a component counts, as each browser writes it; a compiled name in the
    message becomes the stored one."""
    problem = failed(
        kind="error", name="TypeError", message="t is not a function", stack=stack, component=""
    )
    assert problem is not None
    assert (problem.key, problem.line, problem.column) == ("a/plain", 2, 5)
    assert problem.what == "it failed in the browser: TypeError: tell is not a function"
    assert problem.source == "\U0001f600  tell()"


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ({}, None),
        ({"stack": "http://127.0.0.1/_rb/gone-0123456789abcdef.js:1:1"}, None),
        ({"stack": f"/_rb/{MAPPED_NAME}:9999999:999999999", "message": "t is"}, "a/plain"),
        ({"stack": ["_rb"], "message": {"x": 1}, "name": None, "kind": 7}, None),
        ({"component": "@robbieblocks/card", "message": "x" * 2000}, "card"),
        ({"component": f"/_rb/{MAPPED_NAME}"}, "a/plain"),
        ({"component": "/_rb/../../etc/passwd"}, None),
        ({"component": "/_rb/" + MAP_NAME}, None),
        ({"component": "x", "stack": f"/_rb/{MAP_NAME}:1:1"}, None),
    ],
)
def test_whatever_a_browser_sends_is_text(sent: dict[str, Any], key: str | None) -> None:
    """What leads to no component is no problem; what leads to one but to no line names it alone."""
    problem = failed(**sent)
    assert (problem.key if problem else None) == key
    assert problem is None or (problem.line, problem.source) == (None, "")


def test_a_failure_is_printed_once_a_version() -> None:
    """It is said again of the next version of the site."""
    failures = Failures(MappedFiles(MAPPED))
    problem = failures.problem({"component": "@robbieblocks/card"})
    assert problem is not None
    asked = [failures.is_new(problem, version) for version in ("1", "1", "2")]
    assert asked == [True, False, True]
