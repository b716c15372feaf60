"""`robbieblocks bucket` and what `robbieblocks status` finds, against a real S3 server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer

from robbieblocks.cli.operating import bucket as command
from robbieblocks.errors import BucketUnavailable, SiteUnavailable, UsageError
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from tests.integration.releases import NODE, assets, pages, put_version
from tests.s3_server import SECRET, Front


@pytest.fixture
def site_root(s3: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteRoot:
    """The current folder is a project that names the bucket, and its play app is at version 1."""
    text = (
        f'[bucket]\nurl = "{s3.url}/{{node}}"\nendpoint = "{s3.address}"\n[site]\nroot = "site"\n'
    )
    (tmp_path / "robbieblocks.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    root = SiteRoot(tmp_path / "site")
    put_version(root, 1)
    return root


def status(capsys: pytest.CaptureFixture[str]) -> str:
    """The state that `bucket status` tells; it exits with 1 unless that is up to date."""
    capsys.readouterr()
    code = 0
    try:
        command.status(nodes=(), format_="json")
    except typer.Exit as left:
        code = left.exit_code
    (found,) = json.loads(capsys.readouterr().out)
    assert code == (found["state"] != "up to date")
    return str(found["state"])


def findings(site_root: SiteRoot) -> list[str]:
    given = Settings.from_environment().bucket
    assert given is not None
    return list(map(str, command.findings(given, site_root, [NODE])))


def test_a_push_is_told_and_so_is_what_lags_behind(
    s3: Front, site_root: SiteRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before, after, after an edit, and while the bucket refuses: each state is said."""
    assert status(capsys) == "nothing published"
    assert "does not have what is live" in findings(site_root)[0]
    command.push(nodes=(), verify=False, prune=True, adopt=False)
    assert f"{NODE}: wrote" in capsys.readouterr().out
    assert status(capsys) == "up to date"
    assert findings(site_root) == []
    put_version(site_root, 2)
    assert status(capsys) == "behind"
    s3.refuse = lambda _request: (403, "AccessDenied")
    assert status(capsys) == "unknown"
    with pytest.raises(BucketUnavailable, match="403 AccessDenied"):
        command.push(nodes=(NODE,), verify=False, prune=False, adopt=False)
    (found,) = findings(site_root)
    assert "nothing reaches" in found
    assert "let this account" in found
    assert SECRET not in found


def test_a_push_that_was_cut_off_is_not_up_to_date(
    s3: Front, site_root: SiteRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some pages are of another release, though what is live is what was published last."""
    text = Path("robbieblocks.toml").read_text().replace("[site]", 'layout = "flat"\n[site]')
    Path("robbieblocks.toml").write_text(text)
    command.push(nodes=(), verify=False, prune=False, adopt=False)
    assert status(capsys) == "up to date"
    put_version(site_root, 2)
    s3.refuse = lambda each: (403, "AccessDenied") if each.key.endswith(".html") else None
    with pytest.raises(BucketUnavailable):
        command.push(nodes=(), verify=False, prune=False, adopt=False)
    s3.refuse = lambda _request: None
    put_version(site_root, 1)
    assert status(capsys) == "behind"


def test_another_bucket_has_nothing_yet(s3: Front, site_root: SiteRoot) -> None:
    """The record is of the bucket before: `status` tells that the one that is named now lacks."""
    command.push(nodes=(), verify=False, prune=False, adopt=False)
    assert findings(site_root) == []
    text = Path("robbieblocks.toml").read_text().replace(s3.url, f"{s3.url}/moved")
    Path("robbieblocks.toml").write_text(text)
    (found,) = findings(site_root)
    assert f"{s3.url}/moved/{NODE} does not have what is live" in found


def test_a_damaged_node_stops_no_other(
    site_root: SiteRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first node's manifest is another node's: the second is published, and both are told."""
    shutil.copytree(site_root.path / NODE, site_root.path / "a-first", symlinks=True)
    with pytest.raises(SiteUnavailable, match="a-first"):
        command.push(nodes=(), verify=False, prune=False, adopt=False)
    assert f"{NODE}: wrote" in capsys.readouterr().out


@pytest.mark.usefixtures("site_root")
def test_a_node_that_is_not_live_is_refused() -> None:
    """The error names it, and nothing is asked of the bucket."""
    with pytest.raises(UsageError, match="elsewhere is not published"):
        command.push(nodes=("elsewhere",), verify=False, prune=False, adopt=False)


@pytest.mark.usefixtures("site_root")
def test_an_export_is_a_new_folder(tmp_path: Path) -> None:
    """It holds every file; a folder with something in it is left as it is."""
    out = tmp_path / "out"
    command.export(host="cloudflare", out=out, node=NODE)
    assert (out / "play" / "p1" / "index.html").read_bytes() == pages(1)["play/p1/index.html"]
    assert (out / "_rb" / assets(1)[0].name).is_file()
    assert (out / "_headers").read_text().startswith("/*\n")
    with pytest.raises(UsageError, match="not empty"):
        command.export(host="cloudflare", out=out, node=NODE)
