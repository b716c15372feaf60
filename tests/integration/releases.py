"""Small releases for tests: pages whose bytes say which version they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from robbieblocks.model import Asset, Manifest, PageEntry, is_not_found_file, sha256
from robbieblocks.release import (
    AppFolder,
    Published,
    Retention,
    SiteRoot,
    live,
    make_live,
    write_release,
)
from robbieblocks.settings import Address

NODE = "vengeance-local"
TELL = """
from robbieblocks.release import manifest_writer
manifest_writer._TOLD_PAGES_MIN = manifest_writer._TOLD_PART = 1
"""
"""Has a process tell releases of a few pages from a base, as it does those of thousands."""
PAGES = 12


def overwrite(file: Path, content: bytes) -> None:
    """Write over a file of a release in place; nobody but root could, as it is."""
    file.chmod(0o644)
    file.write_bytes(content)


def pages(version: int, *, count: int = PAGES) -> dict[str, bytes]:
    """A home page and others: the home page and page `version` say the version, the rest none."""
    files = {"play/index.html": f"<h1>home</h1> version={version} end".encode()}
    for number in range(1, count):
        shown = version if number == version % count else 0
        files[f"play/p{number}/index.html"] = f"<p>{number}</p> version={shown} end".encode() * 50
    files["tokens.json"] = b'{"--color-primary": "#f0f"}'
    return files


def assets(version: int) -> list[Asset]:
    """One asset that stays, one of each version."""
    return [Asset.of("react", "js", "// react\n" * 500), Asset.of("c", "js", f"// {version}")]


def manifest(
    files: Mapping[str, bytes], given: list[Asset], *, app: str = "play", node: str = NODE
) -> Manifest:
    """The manifest of files; every HTML file but 404.html and the shared app's index is a page."""
    names = tuple(sorted(asset.name for asset in given))
    no_pages = {"404.html", *(["index.html"] if app == "shared" else [])}
    routes = {
        path: f"/{path}"
        if is_not_found_file(path)
        else "/" + path.removesuffix("index.html").removesuffix(".html")
        for path in files
        if path.endswith(".html") and path not in no_pages
    }
    return Manifest(
        node=node,
        app=app,
        files={path: sha256(content) for path, content in files.items()},
        pages=tuple(
            PageEntry(
                key=f"page-{path}", route=route, path=path, inputs=sha256(files[path]), assets=names
            )
            for path, route in sorted(routes.items())
        ),
        assets=names,
    )


def publish(
    site_root: SiteRoot,
    wanted: Manifest,
    contents: Mapping[str, bytes],
    given: Iterable[Asset],
    *,
    fence: Callable[[], None] = lambda: None,
    smoke_url: str | None = None,
    address: Address | None = None,
) -> Published:
    """Write a release and make it live; smoke checks are repeated without a pause."""
    address = Address(url=smoke_url) if smoke_url else address
    with write_release(site_root, wanted, contents, given) as written:
        return make_live(written, fence=fence, address=address, smoke_pause_s=0.0)


def put(
    site_root: SiteRoot, files: Mapping[str, bytes], given: list[Asset], *, app: str = "play"
) -> Published:
    """Publish as the pipeline does: hand in only what differs from what is live."""
    wanted = manifest(files, given, app=app)
    before = live(site_root, NODE, app)
    known = {} if before is None else before.files
    changed = {
        path: files[path] for path, digest in wanted.files.items() if known.get(path) != digest
    }
    return publish(site_root, wanted, changed, given)


def put_version(site_root: SiteRoot, version: int) -> Published:
    """Publish one version of the play app."""
    return put(site_root, pages(version), assets(version))


def put_whole(site_root: SiteRoot, version: int) -> Published:
    """Publish one version with all contents, as after damage."""
    files = pages(version)
    return publish(site_root, manifest(files, assets(version)), files, assets(version))


def app_folder(site_root: SiteRoot) -> AppFolder:
    """Where the play app is."""
    return AppFolder.of(site_root, NODE, "play")


def served(site_root: SiteRoot, path: str, *, app: str = "play") -> bytes:
    """What a web server reads by way of `current`."""
    return (site_root.path / NODE / app / "current" / path).read_bytes()


def keeping(
    site_root: SiteRoot, releases: int = 5, *, days: int = 7, asset_days: float = 7.0
) -> SiteRoot:
    """The same site root with another retention; what the process knows of it is shared."""
    retention = Retention(releases=releases, days=days, asset_days=asset_days)
    return replace(site_root, retention=retention)
