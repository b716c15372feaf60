"""Pictures of pages that do what pages should not, taken with a real Chromium."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Send
from starlette.types import Scope as Asked

from robbieblocks.errors import UsageError
from robbieblocks.model import sha256
from robbieblocks.pictures import HEIGHT_MAX, Scene, Screen, Taken, compare, find_browser, take
from robbieblocks.settings import Settings
from robbieblocks.toolchain import ensure_odiff
from tests.workers import until

pytestmark = pytest.mark.browser

PAGES: Mapping[str, str] = {
    # What differs from visit to visit, and what moves for ever, is where it was each time.
    "/varying": """<canvas id=c></canvas><p id=t></p><input autofocus><div></div>
        <style>@keyframes turn { to { rotate: 1turn } } p { animation: turn 1s infinite }
        @keyframes grow { 0.01%, to { height: 3000px } } div { animation: grow 9s infinite }</style>
        <script>
        setTimeout(() => t.append([Date.now(), performance.now(), crypto.randomUUID()]), 1500);
        setInterval(() => t.append(Math.random()), 200);
        const draw = () => { c.getContext("2d").fillRect(Math.random() * 300, 9, 9, 9);
          requestAnimationFrame(draw); };
        addEventListener("resize", draw); draw();
        </script>""",
    "/lazy": """<p style="height: 3000px">top</p><img loading=lazy src=/none.png>
        <style>@font-face { font-family: Lost; src: url(/lost.woff2) }
        p { font-family: Lost }</style>
        <script>alert(1); window.open("/varying"); fetch("https://elsewhere.example/x");
        new WebSocket("wss://elsewhere.example/");</script>""",
    "/leaves": "<p>here</p><script>location.href = 'https://elsewhere.example/'</script>",
    "/café": "<p>here</p><script>location.reload()</script>",
    "/blank": "<p>here</p><script>location.href = 'about:blank'</script>",
    "/huge": "<div style='height: 200000px; background: linear-gradient(red, blue)'></div>",
    "/restless": """<p id=t>0</p><script>const channel = new MessageChannel();
        channel.port1.onmessage = () => { t.textContent = Number(t.textContent) + 1;
          channel.port2.postMessage(0); };
        channel.port2.postMessage(0);</script>""",
    "/endless": "<p>here</p><script>for (;;);</script>",
}


async def site(scope: Asked, receive: Receive, send: Send) -> None:
    page = PAGES.get(scope["path"])
    await (HTMLResponse(page) if page else Response(status_code=404))(scope, receive, send)


def scene(route: str) -> Scene:
    screen = Screen("phone", 390, 844)
    return Scene(page=sha256(route), route=route, screen=screen, theme="dark", app=site)


def taken(*routes: str, browser: str | None = None) -> dict[str, Taken]:
    """The pictures of pages by route; as CI's containers have no sandbox, there is none.

    They are taken in a thread: in this one the browser of other tests keeps a loop running.
    """
    chosen = find_browser(browser or Settings.from_environment().browser, sandbox=False)
    with ThreadPoolExecutor(1) as other:
        wanted = other.submit(take, map(scene, routes), chosen, lambda _: None, timeout_s=12)
        found = wanted.result()
    return {each.route: found[each] for each in found}


@pytest.fixture(autouse=True)
def its_variables(chromium: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in chromium.items():
        monkeypatch.setenv(name, value)


def test_whatever_a_page_does_it_is_named_and_the_others_are_taken() -> None:
    """A script without end, a page that leaves or never rests: each says so, in bounded time. A
    dialog, a window and what is not there are noted. The end of a very high page is left out."""
    found = taken(*map(quote, PAGES))
    problems = {route: each.problem for route, each in found.items() if each.problem}
    assert sorted(problems) == ["/blank", "/endless", "/restless"]
    assert "goes away" in problems["/blank"]
    assert "not drawn within 12 s" in problems["/endless"]
    assert "changing by itself" in problems["/restless"]
    assert found["/leaves"].notes == (
        "goes on to https://elsewhere.example/: shown is what is there before",
    )
    assert found["/caf%C3%A9"].notes == ("goes on to /caf%C3%A9: shown is what is there before",)
    assert found["/lazy"].notes == (
        "asks for /lost.woff2, which is not there (404)",
        "asks for /none.png, which is not there (404)",
        "asks for https://elsewhere.example/x, which is not on the page's own site",
        "opens a dialog (alert)",
        "opens a window, which is left out",
        "and 1 more of such",
    )
    assert found["/huge"].height > 200_000
    picture = found["/huge"].picture
    assert picture is not None
    assert picture[16:24] == (390).to_bytes(4) + HEIGHT_MAX.to_bytes(4)
    assert (found["/varying"].notes, found["/varying"].height) == ((), 844)


def test_a_picture_is_the_same_each_time_and_compared_pixel_by_pixel() -> None:
    """Two browsers give the same bytes, of what is random, timed or animated too; of pictures that
    are not equally high, what only one has differs."""
    one, other = taken("/varying", "/leaves", "/huge"), taken("/leaves", "/varying")
    assert {route: one[route] for route in other} == other
    odiff = ensure_odiff(Settings.from_environment(), lambda _: None)
    varying, leaves = one["/varying"].picture, one["/leaves"].picture
    assert varying is not None
    assert leaves is not None
    assert (compare(odiff, leaves, leaves).pixels, compare(odiff, leaves, leaves).picture) == (
        0,
        None,
    )
    there, back = compare(odiff, varying, leaves), compare(odiff, leaves, varying)
    assert there == back
    assert 0 < there.percent < 100
    assert there.picture is not None
    assert there.picture[:4] == b"\x89PNG"
    huge = one["/huge"].picture
    assert huge is not None
    assert compare(odiff, leaves, huge).of == 390 * HEIGHT_MAX
    assert compare(odiff, leaves, huge).pixels > 390 * (HEIGHT_MAX - 844)


def test_a_program_that_is_no_browser_is_one_error() -> None:
    """What starts and says nothing is named, with what to install."""
    with pytest.raises(UsageError, match=r"does not start: .*\n  -> python -m playwright install"):
        taken("/leaves", browser="true")


def test_a_kill_leaves_no_browser_and_no_folder(tmp_path: Path) -> None:
    """Killed while a page hangs: every process that it started ends, and its profile lies in a
    folder that the next command removes."""
    code = "from tests.acceptance.test_pictures import taken; taken('/endless')"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = subprocess.Popen([sys.executable, "-c", code], cwd=root, env=environment)
    try:
        itself = psutil.Process(command.pid)

        def is_drawing() -> bool:
            return any(
                "--type=renderer" in each.cmdline() for each in itself.children(recursive=True)
            )

        until(is_drawing)
        children = itself.children(recursive=True)
        assert list(tmp_path.glob("robbieblocks-work-*/playwright*"))
        assert {each.name for each in tmp_path.iterdir()} == {
            each.name for each in tmp_path.glob("robbieblocks-work-*")
        }
    finally:
        command.send_signal(signal.SIGKILL)
        command.wait()
    until(lambda: not any(each.is_running() for each in children))
    sweep = "from robbieblocks.process import sweep_temporary_folders as go; go()"
    subprocess.run([sys.executable, "-c", sweep], cwd=root, env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
