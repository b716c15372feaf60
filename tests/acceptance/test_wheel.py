"""The wheel in an empty environment elsewhere: what a user installs does what the checkout does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Demo
from tests.commands import released

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built without a network from what is installed here."""
    out = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out], cwd=ROOT)
    (made,) = out.glob("*.whl")
    return made


def run(command: list[str | Path], cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_brings_what_it_needs_and_nothing_else(wheel: Path) -> None:
    """Templates, branding, schema, locks and scripts are in it; tests and tools are not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "node_branding", "schema"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                assert f"robbieblocks/_data/{path.relative_to(ROOT)}" in names
    for path in (ROOT / "robbieblocks").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert str(path.relative_to(ROOT)) in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"robbieblocks"}


def test_the_wheel_builds_what_the_checkout_builds(demo: Demo, wheel: Path, tmp_path: Path) -> None:
    """Installed into an empty environment, run in an empty folder: equal build hashes."""
    place = tmp_path / "environment"
    venv.create(place, with_pip=False, symlinks=True)
    program = place / "bin" / "python"
    run(
        [
            *(sys.executable, "-m", "pip", "--python", program, "install", "--quiet"),
            *("--no-index", "--no-deps", "--disable-pip-version-check", wheel),
        ],
        cwd=tmp_path,
    )
    # What it depends on comes from this environment; it alone comes from the wheel.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = place / "lib" / version / "site-packages"
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    found = run([program, "-c", "import robbieblocks; print(robbieblocks.__file__)"], cwd=empty)
    assert Path(found.strip()).is_relative_to(packages)
    command = place / "bin" / "robbieblocks"
    assert run([command, "--version"], cwd=empty) == f"robbieblocks {wheel.name.split('-')[1]}\n"
    report = json.loads(run([command, "build", "--format", "json"], cwd=empty))
    assert hashes(report) == hashes(demo.report)
    assert sorted(path.name for path in empty.iterdir()) == [".robbieblocks"]
    released(empty / ".robbieblocks")


def hashes(report: Any) -> dict[tuple[str, str], str]:
    return {(run["node"], run["app"]): run["build_hash"] for run in report["runs"]}
