"""Looks at nginx and Caddy: what they may read, what they are told, and what visitors are sent."""

from __future__ import annotations

import hashlib
import os
import pwd
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from robbieblocks import release
from robbieblocks.cli.operating.doctor.findings import Finding, broken, failed, note, ok
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.model import Manifest
from robbieblocks.release import Reader, SiteRoot
from robbieblocks.serve import Printed, live_headers, live_redirects
from robbieblocks.settings import Settings

# Whose packages make them: Debian's, nginx' own, Alpine's.
_ACCOUNTS: Final = ("www-data", "nginx", "caddy")
# Where a configuration lies that was printed; `--dir` of neither server is known.
_ETC: Final = Path("/etc")
_CONFIGURATIONS: Final = (
    "nginx/conf.d/*.conf",
    "nginx/sites-enabled/*",
    "nginx/http.d/*.conf",
    "caddy/Caddyfile",
    "caddy/*/*",
)
_BYTES_MAX: Final = 1_000_000
_TIMEOUT_S: Final = 5.0


def look(settings: Settings) -> Iterator[Finding]:
    """What is found out; where nothing is live, there is nothing to say."""
    root = SiteRoot.of(settings)
    try:
        if release.nodes(root):
            yield from _readable(root)
            yield from _configurations(root, settings)
            yield from _answered(root, settings)
    except RobbieBlocksError:
        return  # the site root's own finding says so


def _readable(root: SiteRoot) -> Iterator[Finding]:
    accounts = [each for each in pwd.getpwall() if each.pw_name in _ACCOUNTS]
    if not accounts:
        closed = release.closed_to(root)
        if closed is not None:
            what = f"{closed} may be entered by its owner and group alone"
            remedy = f"for nginx or Caddy: chmod o+x {closed}, or put their account into its group"
            yield note("web server", what, remedy)
    for account in accounts:
        groups = frozenset(os.getgrouplist(account.pw_name, account.pw_gid))
        closed = release.closed_to(root, Reader(account.pw_uid, groups))
        if closed is not None:
            what = f"{closed} may not be entered by the account {account.pw_name}"
            remedy = f"chmod o+x {closed}, or put {account.pw_name} into its group"
            why = "its web server answers 503, or as if there were no page"
            yield note("web server", what, remedy, why=why)
        else:
            yield ok("web server", f"the account {account.pw_name} may enter what is live")


def _configurations(root: SiteRoot, settings: Settings) -> Iterator[Finding]:
    """Whether each configuration that was printed is what would be printed now."""
    paths = {path for pattern in _CONFIGURATIONS for path in _ETC.glob(pattern) if path.is_file()}
    for path in sorted(paths):
        if path.stat().st_size > _BYTES_MAX:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for printed in Printed.read(text):
            yield _configuration(path, text, printed, root, settings)


def _configuration(
    path: Path, text: str, printed: Printed, root: SiteRoot, settings: Settings
) -> Finding:
    apps = release.apps(root, printed.node)
    if not apps:
        what = f"{path} serves {printed.node}, of which nothing is live in {root.path}"
        return note("web server", what, f"robbieblocks build --node {printed.node}, or remove it")
    try:
        lacking = printed.lacking(
            text,
            root.path,
            apps,
            settings.applications,
            live_redirects(root, printed.node),
            live_headers(root, printed.node),
        )
    except RobbieBlocksError as error:
        return failed("web server", error, f"print {path} again")
    if not lacking:
        return ok("web server", f"{path} is what is printed for {printed.node} now")
    more = f" and {len(lacking) - 1} more lines" if len(lacking) > 1 else ""
    return note(
        "web server",
        f"{path} is not what is printed for {printed.node} now: it {_differs(lacking[0])}{more}",
        f"{printed} | sudo tee {path}, add your certificate's lines, and reload {printed.server}",
        why="its apps, applications, redirects and headers are those of the day of its printing",
    )


def _differs(line: str) -> str:
    return f"still has {line[3:]!r}" if line.startswith("no ") else f"lacks {line!r}"


def _answered(root: SiteRoot, settings: Settings) -> Iterator[Finding]:
    """What each address answers for the first page of each app that is live there."""
    nodes: dict[str, list[str]] = {}
    for node in release.nodes(root):
        address = settings.addresses.of(node)
        if address is not None:
            nodes.setdefault(address.url, []).append(node)
    for url, there in nodes.items():
        yield _answer(url, [each for each in _manifests(root) if each.node in there])


def _answer(url: str, manifests: list[Manifest]) -> Finding:
    """Whether an address answers with a page that is live on one of its nodes."""
    seen = "there is no page to ask for"
    try:
        with httpx.Client(timeout=_TIMEOUT_S, headers={"Accept-Encoding": "identity"}) as client:
            for manifest in manifests:
                page = manifest.pages[0]
                answer = client.get(url + page.route)
                build = answer.headers.get(release.BUILD_HEADER)
                digest = hashlib.sha256(answer.content).hexdigest()
                if manifest.files[page.path] == digest or build == manifest.build_hash:
                    return ok("web server", f"{url} answers with the live pages of {manifest.node}")
                server = answer.headers.get("Server", "a server without a name")
                seen = f"{page.route} answers {answer.status_code}, by {server}"
                if answer.status_code == HTTPStatus.OK:
                    seen += ", and is no page that is live here"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        seen = f"{type(error).__name__}: {error}"
    remedy = "compare its configuration with robbieblocks webserver, its root with site.root below"
    why = "each swap is checked there, and taken back where the answer is wrong"
    return broken("web server", f"{url}: {seen}", remedy, why=why)


def _manifests(root: SiteRoot) -> Iterator[Manifest]:
    """The live manifests that have pages."""
    for node in release.nodes(root):
        for app in release.apps(root, node):
            manifest = release.live(root, node, app)
            if manifest is not None and manifest.pages:
                yield manifest
