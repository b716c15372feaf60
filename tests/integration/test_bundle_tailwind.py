"""V8 runs in a process of its own: what it takes is given back, and what kills it kills no more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from robbieblocks.bundle.compile import Esbuild
from robbieblocks.bundle.compile.service import EsbuildService
from robbieblocks.bundle.entries import ToolchainCache, versioned
from robbieblocks.bundle.processes import KeepAlive, ScriptIsolate
from robbieblocks.bundle.tailwind import DesignSystem, Tailwind, design_system
from robbieblocks.bundle.tailwind.classes import KnownClasses, may_be_class
from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.toolchain import Toolchain
from tests.workers import until

Isolates = KeepAlive[ScriptIsolate]


@pytest.fixture
def isolates() -> Iterator[Isolates]:
    """Keeps this test's own isolate of Tailwind."""
    own = Isolates(60)
    yield own
    own.stop()


@contextmanager
def opened(toolchain: Toolchain, cache: Cache, isolates: Isolates) -> Iterator[Tailwind]:
    """Tailwind without tokens."""
    services = KeepAlive[EsbuildService](60)
    with closing(ToolchainCache(toolchain, cache)) as shared:
        esbuild = Esbuild(toolchain, services)
        yield Tailwind(
            toolchain,
            cache,
            [],
            lambda theme: DesignSystem(toolchain, esbuild, shared, isolates, theme),
        )
    services.stop()


@pytest.fixture
def tailwind(toolchain: Toolchain, cache: Cache, isolates: Isolates) -> Iterator[Tailwind]:
    with opened(toolchain, cache, isolates) as made:
        yield made


class Alone:
    """A component that imports nothing."""

    imports: tuple[str, ...] = ()


def known(tailwind: Tailwind, *words: str) -> set[str]:
    return set(tailwind.learn(frozenset(words)).used(frozenset(words)))


def test_what_is_forgotten_is_asked_again(
    tailwind: Tailwind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many words come, so many rules are kept, and a stylesheet has all that it needs."""
    monkeypatch.setattr("robbieblocks.bundle.tailwind.tailwind._MAX_RULES", 40)
    monkeypatch.setattr("robbieblocks.bundle.tailwind.tailwind._ASKED_AT_ONCE", 10)
    made = tailwind.stylesheets({"a": frozenset({"w-[1px]"})}, {"a": Alone()})
    for start in range(100, 400, 30):
        words = {f"w-[{number}px]" for number in range(start, start + 30)}
        assert known(tailwind, *words) == words
        assert len(made.known.rules) <= 40
    sheet = made.for_components(["a"], frozenset({"h-[2px]"}))
    assert sheet is not None
    assert b"width:1px" in sheet.content
    assert b"height:2px" in sheet.content
    many = {f"m-[{number}px]" for number in range(100, 150)}
    assert known(tailwind, *many) == set(sorted(many)[:40])


# --- the isolate ----------------------------------------------------------------------------------


def test_scripts_run_in_order() -> None:
    """Scripts share one isolate, and the last one's value comes back."""
    with closing(ScriptIsolate(["var a = 'é\\u2028😀'", "a + 1"], 10)) as isolate:
        assert isolate.first_result() == "é\u2028😀1"
        assert isolate.run("a.length") == 4
        assert isolate.run("null") is None


@pytest.mark.parametrize(
    ("script", "seconds", "said"),
    [
        ("throw new Error('no')", 30, "Error: no"),
        ("for (;;);", 2, "timeout|timed out"),
        ("const a = []; for (;;) a.push(new Array(1e5).fill({}))", 30, "memory|OOM"),
    ],
)
def test_a_script_that_fails_ends_the_isolate(script: str, seconds: int, said: str) -> None:
    """What a script does ends its isolate at most, with a word of what it was."""
    for first in ((script, "1"), ("1",)):
        isolate = ScriptIsolate(first, seconds)
        with pytest.raises(ProcessFailed, match=f"(?i){said}"):
            isolate.run(script)
        assert not isolate.alive
        isolate.close()


def test_it_can_be_ended_at_any_time() -> None:
    """An isolate that is not ready yet, or never will be, is ended at once."""
    isolate = ScriptIsolate(["for (;;);"], 60)
    assert isolate.alive
    isolate.close()
    assert not isolate.alive


def test_it_inherits_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process has nothing of this one's environment."""
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    with closing(ScriptIsolate(["1"], 10)) as isolate:
        isolate.first_result()
        assert "hunter2" not in str(psutil.Process(isolate._child.pid).environ())


# --- Tailwind in it -------------------------------------------------------------------------------


def test_the_isolate_is_kept_for_the_next_word(tailwind: Tailwind, isolates: Isolates) -> None:
    """New words are asked of the isolate that runs; known ones, and prose, start none."""
    assert known(tailwind, "p-4", "prose") == {"p-4"}
    running = isolates._program
    assert known(tailwind, "p-4", "p-5") == {"p-4", "p-5"}
    assert isolates._program is running
    isolates.stop()
    tailwind.prepare()
    assert known(tailwind, "p-4", "p-5", "more", "prose-like") == {"p-4", "p-5"}
    assert isolates._program is None
    assert known(tailwind, "p-6") == {"p-6"}


def test_tailwind_gets_ready_before_it_is_asked(tailwind: Tailwind, isolates: Isolates) -> None:
    """Where nothing is known of a theme, the isolate that is asked is the one on its way."""
    tailwind.prepare()
    prepared = isolates._program
    assert known(tailwind, "p-4") == {"p-4"}
    assert isolates._program is prepared is not None


def test_another_process_has_learnt(
    tailwind: Tailwind, cache: Cache, toolchain: Toolchain, isolates: Isolates
) -> None:
    """What another process learnt meanwhile is taken over, and what it forgot is asked again."""
    with opened(toolchain, cache, isolates) as other:
        assert known(tailwind, "p-1") == {"p-1"}
        assert known(other, "p-2") == {"p-2"}
        forgotten = KnownClasses(roots=frozenset("p")).packed()
        cache.put_many(versioned("tailwind"), {other._cache_key: forgotten})
        assert known(tailwind, "p-1", "p-3") == {"p-1", "p-3"}


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Has any isolate die that is asked about `p-[killer]`; the processes it happened to."""
    died: list[int] = []
    real = ScriptIsolate.run

    def run(self: ScriptIsolate, script: str) -> Any:
        if "killer" in script:
            os.kill(self._child.pid, signal.SIGSEGV)
            died.append(self._child.pid)
        return real(self, script)

    monkeypatch.setattr(ScriptIsolate, "run", run)
    return died


def test_a_word_that_kills_is_no_class(tailwind: Tailwind, killer: list[int]) -> None:
    """The word that the isolate does not survive is found and is no class; the others are."""
    words = {f"p-{n}" for n in range(9)}
    assert known(tailwind, *words, "p-[killer]") == words
    assert known(tailwind, "p-[killer]", "p-10") == {"p-10"}
    assert len(set(killer)) == len(killer) > 2


def test_a_death_that_no_word_caused(tailwind: Tailwind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word is no class only if it kills twice: something else may have ended the isolate."""
    real, deaths = ScriptIsolate.run, iter([True])

    def run(self: ScriptIsolate, script: str) -> Any:
        if next(deaths, False):
            os.kill(self._child.pid, signal.SIGKILL)
        return real(self, script)

    monkeypatch.setattr(ScriptIsolate, "run", run)
    assert known(tailwind, "p-4") == {"p-4"}


def test_an_isolate_that_dies_when_it_starts(
    tailwind: Tailwind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Tailwind does not get ready, no word is blamed: the build fails, and later it works."""
    with monkeypatch.context() as patch:
        patch.setattr(design_system, "_SCRIPT", "throw new Error('no Tailwind')")
        with pytest.raises(ProcessFailed, match="no Tailwind"):
            known(tailwind, "p-4")
    assert known(tailwind, "p-4") == {"p-4"}


def test_an_isolate_that_never_starts(tailwind: Tailwind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Tailwind can't be started, no word is blamed: the build fails, and later it works."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/nonexistent")
        with pytest.raises(ProcessFailed, match="could not start"):
            known(tailwind, "p-4")
    assert known(tailwind, "p-4") == {"p-4"}


WORDS = st.lists(
    st.sampled_from(
        ["p", "-", "-m", "4", "[", "]", "(", ")", ":", "/", "!", "hover", "group-has-[a]", "bg",
         "red-500", "text", "border", "rounded", "@container", "@", "[color:red]", "[&_p]", "50",
         "flex", "inset-x", "auto", "space-x", "w", "1/2", "--x", "card", "content-['a:b']", "\\",
         ".", "'", "data-[a=b:c]", "underline", "to", "sr-only", "max-w-screen", "sm"]
    ),
    max_size=7,
).map("".join)  # fmt: skip


@pytest.fixture(scope="module")
def all_words(
    toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Tailwind, ScriptIsolate]]:
    """Tailwind, and an isolate to ask about every word, also about those that can't be classes."""
    isolates = Isolates(60)
    with (
        Cache(tmp_path_factory.mktemp("all")) as cache,
        opened(toolchain, cache, isolates) as made,
        closing(made.design_system.start()) as isolate,
    ):
        yield made, isolate
    isolates.stop()


CLASSES = [
    "flex", "!flex", "flex!", "border", "p-4", "-m-4", "hover:flex", "md:hover:-m-4!", "p-[4px]",
    "shadow/50", "text-red-500/50", "@container/name", "[color:red]", "hover:[&_p]:[color:red]",
    "bg-(--x)", "w-1/2", "group-has-[a:hover]/name:underline", "data-[a='b:c']:sr-only",
]  # fmt: skip


@example(CLASSES)
@given(st.lists(WORDS, min_size=30, max_size=60))
def test_no_class_is_taken_for_prose(
    all_words: tuple[Tailwind, ScriptIsolate], words: list[str]
) -> None:
    """Of whatever Tailwind makes a rule, it is asked: what it is not asked about is none."""
    tailwind, isolate = all_words
    roots = tailwind.learn(frozenset({"p-4"})).roots
    answer = json.loads(str(isolate.run(f"compiled({json.dumps(words)}, [])")))
    classes = {word for word, css in zip(words, answer["css"], strict=True) if css}
    assert classes >= set(CLASSES) & set(words)
    assert [word for word in (*roots, *classes) if not may_be_class(word, roots)] == []


def test_the_design_system_is_as_it_was(toolchain: Toolchain, tailwind: Tailwind) -> None:
    """`__unstable__loadDesignSystem` is no public API: with another version of Tailwind, each thing
    that is used of it is to be looked at again."""
    assert toolchain.tools["tailwindcss"].startswith("4.")
    with closing(tailwind.design_system.start()) as isolate:
        described = json.loads(str(isolate.first_result()))
        assert {"flex", "p", "bg", "sr-only"} <= set(described["roots"])
        theme = dict(described["theme"])
        assert theme["--spacing"] == "0.25rem"
        assert theme["--color-black"] == "#000"
        answer = json.loads(str(isolate.run('compiled(["p-4", "nothing", "flex"], ["m-1"])')))
    assert answer["css"][1] is None
    assert [css.split("{")[0].strip() for css in answer["css"][::2]] == [".p-4", ".flex"]
    assert answer["order"] == ["m-1", "flex", "p-4"]


# --- the process that owns it ---------------------------------------------------------------------

BUILD = """
import sys
from contextlib import closing
from pathlib import Path
from uuid import UUID
from robbieblocks.bundle import Bundler
from robbieblocks.cache import Cache
from robbieblocks.model import ComponentRow
from robbieblocks.settings import Settings
from robbieblocks.toolchain import ensure
code = "<b className='p-4'/>"
rows = {"a": ComponentRow(id=UUID(int=0), key="a", name="a", type="x", code=code)}
toolchain = ensure(Settings.from_environment(), print)
with Cache(Path(sys.argv[1])) as cache, closing(Bundler(cache)) as bundler:
    made = bundler.bundle(rows, rows, toolchain=toolchain, tokens=[], base_css="")
    assert b"padding" in made.utilities_for(["a"]).content
    print(bundler._processes.tailwind._program._child.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that has just built a page with a new class, and its isolate's process id."""
    command = [sys.executable, "-c", BUILD, str(tmp_path / "site")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
        process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_v8_in_the_process_that_builds(owner: tuple[subprocess.Popen[str], int]) -> None:
    """A process that has asked Tailwind maps no V8; its child does."""
    process, isolate = owner
    assert "mini_racer" not in Path(f"/proc/{process.pid}/maps").read_text()
    assert "mini_racer" in Path(f"/proc/{isolate}/maps").read_text()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_isolate_goes_with_its_owner(
    owner: tuple[subprocess.Popen[str], int], end: signal.Signals
) -> None:
    """However the process that builds ends, no isolate is left behind."""
    process, isolate = owner
    assert psutil.pid_exists(isolate)
    process.send_signal(end)
    until(lambda: not psutil.pid_exists(isolate))
