"""A build whose children are killed from outside: what they worked on goes out with the next."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from robbieblocks.errors import ProcessFailed
from robbieblocks.process import Killed, running
from robbieblocks.toolchain import Toolchain, TypeScript
from robbieblocks.typescript import type_problems
from tests.killing import Kill
from tests.media_files import png
from tests.sites import Block, MakeSite, Site
from tests.unit.rows import a_component

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    site = make_site()
    site.component("plain", "export default function Plain() { return <p>plain</p>; }")
    site.page("beside", "plain")
    site.build()
    return site


@pytest.mark.parametrize(("program", "times"), [("process.py", 3), ("esbuild", 2)])
def test_a_component_whose_process_is_killed_is_tried_by_the_next_build(
    site: Site, kill: Kill, program: str, times: int
) -> None:
    """Its page is held back meanwhile, the page beside it goes out, and no row has to change."""
    key = program.partition(".")[0]
    site.component(key, f"export default function It() {{ return <p>{key}</p>; }}")
    site.page(key, key)
    site.sql("UPDATE robbieblocks_pages SET meta_title = %s WHERE page_key = 'beside'", key)
    killed = kill(program, times)
    site.build()
    (problem,) = site.problems()
    assert (len(killed), problem.key, problem.passing) == (times, key, True)
    assert "killed" in problem.what
    assert key in site.file("/beside/").read_text()
    assert not site.file(f"/{key}/").exists()
    site.build()
    assert not site.problems()
    assert f"<p>{key}</p>" in site.file(f"/{key}/").read_text()


def test_a_class_is_still_one_where_tailwind_is_killed(site: Site, kill: Kill) -> None:
    """The build fails, and says nothing of the words to the next one."""
    site.component(
        "spaced", 'export default function It() { return <p className="mt-[13px]">it</p>; }'
    )
    site.page("spaced", "spaced")
    kill("script_isolate_child", 2)
    with pytest.raises(ProcessFailed, match="killed"):
        site.build()
    site.build()
    assert "13px" in site.file("/spaced/").read_text()


def test_a_picture_whose_process_is_killed_holds_its_page_until_it_is_tried_again(
    site: Site, kill: Kill
) -> None:
    """The problem says so, by which a worker builds the app again; a build before is too early."""
    schema = {"type": "object", "properties": {"at": {"type": "string", "format": "media"}}}
    site.component(
        "photo", "export default ({ at }) => <img src={at.src} alt='' />;", schema=schema
    )
    site.sql(
        "INSERT INTO media_assets (media_key, file_name, media_type, content, content_hash,"
        " size_bytes, alt) VALUES ('shot', 'shot.png', 'image/png', %s, '', 0, 'x')",
        png(37, 23),
    )
    site.page("photo", Block(component="photo", props={"at": "media:shot"}))
    killed = kill("picture_process", 2)
    for _ in range(2):
        site.build()
        (problem,) = site.problems()
        assert (len(killed), problem.page, problem.passing) == (2, "photo", True)
        assert "was killed by SIGKILL" in problem.what
    site.builder.context.media.failures.monotonic = lambda: time.monotonic() + 60
    site.build()
    assert not site.problems()
    assert "shot" in site.file("/photo/").read_text()


TYPED = {
    "wrong": a_component("wrong", code="export default (p: {}) => <p>{p.x}</p>;"),
    "right": a_component("right", code="export default (p: {}) => <p>right</p>;"),
}
# Of the runs of the compiler, of which the first lists what packages there are.
KILLED = [{0}, {1}, {0, 2}, {1, 2}, {1, 2, 3}]


def kill_runs(monkeypatch: pytest.MonkeyPatch, program: str, which: Collection[int]) -> list[str]:
    """Have these runs of a program killed as soon as they are started; gives what becomes of all
    of them."""
    real, became = running.start, list[str]()

    def start(argv: Any, *given: Any, **named: Any) -> subprocess.Popen[bytes]:
        started = real(argv, *given, **named)
        if Path(argv[0]).name == program:
            became.append("killed" if len(became) in which else "left")
            if became[-1] == "killed":
                os.kill(started.pid, signal.SIGKILL)
        return started

    monkeypatch.setattr(running, "start", start)
    return became


@pytest.mark.parametrize("which", KILLED, ids=str)
def test_types_whose_checker_is_killed_are_checked_by_another(
    monkeypatch: pytest.MonkeyPatch,
    toolchain: Toolchain,
    typescript: TypeScript,
    which: Collection[int],
) -> None:
    """Wherever it is killed; after two kills the components are checked apart."""
    became = kill_runs(monkeypatch, typescript.program.name, which)
    (found,) = type_problems(TYPED, toolchain, typescript)
    assert (found.key, found.passing) == ("wrong", False)
    assert became.count("killed") == len(which)


def test_what_a_checker_that_is_killed_again_and_again_says_is_passing(
    monkeypatch: pytest.MonkeyPatch, toolchain: Toolchain, typescript: TypeScript
) -> None:
    """No component is at fault, and nobody keeps what was found; where not even the packages could
    be listed, that is said with what to do."""
    kill_runs(monkeypatch, typescript.program.name, range(1, 100))
    problems = type_problems(TYPED, toolchain, typescript)
    assert {(each.key, each.passing) for each in problems} == {("wrong", True), ("right", True)}
    assert all("was killed" in each.what for each in problems)
    kill_runs(monkeypatch, typescript.program.name, range(100))
    with pytest.raises(Killed, match=r"(?s)killed by SIGKILL.*-> see what this machine"):
        type_problems(TYPED, toolchain, typescript)
