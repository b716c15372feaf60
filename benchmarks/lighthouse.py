"""What Lighthouse says of the example shop as a phone gets it: `--only lighthouse`.

Lighthouse 13 can't drive the Chromium of the tests, which is a headless shell; 12.8 can.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks import peers, processes
from benchmarks.processes import OURS, ROOT, FailedError
from benchmarks.scenarios import Bench
from tests.shop import COMMANDS, NODES, PATHS, SHOP

_CATEGORIES: Final = ("performance", "accessibility", "best-practices", "seo")
_FIGURES: Final = {
    "lcp_ms": "largest-contentful-paint",
    "tbt_ms": "total-blocking-time",
    "cls": "cumulative-layout-shift",
}
_ADDRESS: Final = re.compile(r"^(\S+)  (http://\S+)$", re.MULTILINE)
_LATEST_S: Final = 30.0


def lighthouse(bench: Bench) -> list[dict[str, Any]]:
    """A row for each page on each node: the four scores of 100, LCP, TBT and CLS.

    The pages come from `robbieblocks serve`; Lighthouse reckons them as a mid-range phone on Slow
    4G, its own default. Raises FailedError where a page can't be judged.
    """
    program = peers.installed("lighthouse") / "node_modules/lighthouse/cli/index.js"
    folder = bench.ground.folder / "shop"
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns(".robbieblocks"))
    rows: list[dict[str, Any]] = []
    with bench.ground.database() as conninfo, contextlib.ExitStack() as stack:
        env = os.environ | {
            "ROBBIEBLOCKS_DATABASE_URL": conninfo,
            "ROBBIEBLOCKS_HOME": str(folder / ".robbieblocks"),
            "PYTHONPATH": str(ROOT),
        }
        for command in COMMANDS:
            processes.run((*OURS, *command), env=env, cwd=folder)
        nodes = stack.enter_context(_served(folder, env))
        port = stack.enter_context(_chromium(folder))
        for node, address in nodes.items():
            for page in PATHS:
                report = _report(program, port, address + page, folder)
                rows.append({"node": node, "page": page or "home", **_figures(report)})
                bench.say(f"  {rows[-1]}")
    return rows


@contextmanager
def _served(folder: Path, env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The address of the shop on each node, served meanwhile."""
    log = folder / "served.log"
    argv = (*OURS, "serve", "--port", "0")
    with processes.running(argv, env=env, cwd=folder, log=log):
        said = _until(log, log.read_text, lambda text: len(_ADDRESS.findall(text)) == len(NODES))
        yield dict(_ADDRESS.findall(said))


@contextmanager
def _chromium(folder: Path) -> Iterator[str]:
    """The port at which Lighthouse speaks with a Chromium of the tests' kit."""
    # Only this part and `visitor` need a browser.
    from tests.browser.install import ensure

    kit = ensure()
    profile, log = folder / "profile", folder / "chromium.log"
    options = ("--headless", "--no-sandbox", "--remote-debugging-port=0")
    argv = (kit.chromium, *options, f"--user-data-dir={profile}", "about:blank")
    with processes.running(argv, env={**kit.environment}, cwd=folder, log=log):
        port = profile / "DevToolsActivePort"
        said = _until(log, lambda: port.read_text() if port.exists() else "", bool)
        yield said.partition("\n")[0]


def _until(log: Path, read: Callable[[], str], is_whole: Callable[[str], bool]) -> str:
    """What is read once it is whole. Raises FailedError with the log where it never is."""
    until = time.monotonic() + _LATEST_S
    while not is_whole(said := read()):
        if time.monotonic() > until:
            raise FailedError(f"it does not start: {log.read_text()[-2000:]}")
        time.sleep(0.05)
    return said


def _report(program: Path, port: str, address: str, folder: Path) -> dict[str, Any]:
    """What Lighthouse writes of a page (its "LHR" as JSON)."""
    out = folder / "report.json"
    options = ("--output=json", f"--output-path={out}", f"--port={port}", "--hostname=127.0.0.1")
    argv = (peers.node(), program, address, *options, "--quiet", "--no-enable-error-reporting")
    processes.run(argv, env=peers.environment(), cwd=folder)
    report: dict[str, Any] = json.loads(out.read_text())
    if "runtimeError" in report:
        raise FailedError(f"{address}: {report['runtimeError']}")
    return report


def _figures(report: Mapping[str, Any]) -> dict[str, float]:
    categories, audits = report["categories"], report["audits"]
    scores = {name: round(categories[name]["score"] * 100) for name in _CATEGORIES}
    return scores | {key: round(audits[name]["numericValue"], 3) for key, name in _FIGURES.items()}
