"""What a visitor waits for: the same pages of RobbieBlocks and of Astro, on a slow phone."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, Literal

from benchmarks import apps, edits, machine, peers, processes
from benchmarks.processes import FailedError
from benchmarks.scenarios import Bench
from benchmarks.sites import NODE, Site
from benchmarks.targets import Result

if TYPE_CHECKING:
    from benchmarks.phone import Phones

Protocol = Literal["h1", "h2"]

_SERVER: Final = Path(__file__).resolve().parent / "peers" / "server.mjs"
_LATEST_S: Final = 30.0
_SIZE: Final = apps.Size(pages=24, components=12, blocks=6)
_ISLANDS: Final = 2
_PAGES: Final = 3
_FORMS: Final = ("inline", "linked", "fixed")


@dataclass(frozen=True, slots=True)
class _Served:
    """A site in the form in which it is compared."""

    name: str
    roots: tuple[str, ...]


def visitor(bench: Bench) -> None:
    """Three pages one after the other over both protocols; then what a form of styles costs."""
    visits = _visits(bench)
    bench.details["visitor"] = visits
    first = {
        row["site"]: row["lcp_ms"] for row in visits if row["protocol"] == "h2" and row["page"] == 1
    }
    note = ", ".join(f"{name} {value:,.0f} ms" for name, value in first.items())
    theirs = [lcp for name, lcp in first.items() if name.startswith("Astro 7,")]
    ratio = first["inline"] / min(theirs)
    bench.add(Result.of("visitor-lcp", [ratio], machine.pace(), note))
    sizes = (10, 1_000) if bench.quick else (10, 1_000, 10_000)
    bench.details["styles"] = [_cost(bench, count, form) for count in sizes for form in _FORMS]


def _visits(bench: Bench) -> list[dict[str, Any]]:
    # Only this scenario and `development` need a browser.
    from playwright.sync_api import Error

    from benchmarks.phone import phones
    from tests.browser.chromium import launched
    from tests.browser.install import BrowserMissingError

    chosen = [page.route for page in _pages_with_islands()]
    rows: list[dict[str, Any]] = []
    with bench.ground.site(_SIZE) as site:
        served = [_ours(site, form) for form in _FORMS]
        served += _astro(bench.ground.folder / "astro-visitor", site)
        certificate = _certificate(bench.ground.folder)
        try:
            with launched() as browser, phones(browser) as opener:
                for protocol in ("h1", "h2"):
                    secured = certificate if protocol == "h2" else ()
                    rows += _in_turn(bench, opener, served, secured, chosen, protocol)
        except (Error, BrowserMissingError) as error:
            raise FailedError(str(error)) from error
    return rows


def _in_turn(
    bench: Bench,
    opener: Phones,
    served: Sequence[_Served],
    secured: Sequence[str],
    routes: Sequence[str],
    protocol: Protocol,
) -> list[dict[str, Any]]:
    """Rows of all sites over one protocol, visited in turn: other work on the machine meets all."""
    runs: dict[str, list[list[dict[str, float]]]] = {each.name: [] for each in served}
    with ExitStack() as stack:
        addresses = {
            each.name: stack.enter_context(_serving(bench.ground.folder, each, secured))
            for each in served
        }
        for number in bench.rounds(1, 9):
            # There and back: none comes always behind the same one.
            for name, address in list(addresses.items())[:: -1 if number % 2 else 1]:
                runs[name].append(_three_pages(opener, [address + route for route in routes]))
    rows: list[dict[str, Any]] = []
    for name, visits in runs.items():
        rows += _medians(name, protocol, visits)
        bench.say(f"  {name}, {protocol}: {rows[-_PAGES]}")
    return rows


def _pages_with_islands() -> Sequence[apps.Page]:
    """Pages with two blocks that have state, as every third component has."""

    def islands(page: apps.Page) -> int:
        return sum(int(key.removeprefix("part-")) % 3 == 0 for key, _ in page.blocks)

    return [page for page in apps.pages(_SIZE) if islands(page) == _ISLANDS][:_PAGES]


def _ours(site: Site, form: str) -> _Served:
    """The site built with its styles in a form, in a folder of its own."""
    (site.home / "robbieblocks.toml").write_text(f'[site]\nstyles = "{form}"\n')
    folder = site.home / form
    processes.run(
        (*processes.OURS, "build", "--app", "bench"),
        env=site.env | {"ROBBIEBLOCKS_SITE_ROOT": str(folder)},
        cwd=site.home,
    )
    node = folder / NODE
    return _Served(form, ("/_rb/", str(node / "assets"), "/", str(node / "bench" / "current")))


def _astro(folder: Path, site: Site) -> list[_Served]:
    """Astro's site with the styles and fonts of the site's linked form, in both of its forms; then
    both with a policy, as each page of ours has one.
    """
    astro = peers.prepare("astro", _SIZE, folder)
    served: list[_Served] = []
    astro.dress(site.home / "linked" / NODE / "assets")
    for policy, inlined in itertools.product((False, True), (True, False)):
        which = "Astro 7 with a policy" if policy else "Astro 7"
        name = f"{which}, {'inlined' if inlined else 'linked'}"
        astro.configure(inlined=inlined, policy=policy)
        astro.build()
        built = (folder / "dist").rename(folder / f"dist-{len(served)}")
        served.append(_Served(name, ("/", str(built))))
    return served


def _certificate(folder: Path) -> tuple[str, ...]:
    """Options for a certificate of 127.0.0.1: browsers speak HTTP/2 over TLS only."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    processes.run(
        (
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-keyout", key),
            *("-out", certificate),
        ),
        env=peers.environment(),
        cwd=folder,
    )
    return ("--certificate", str(certificate), "--key", str(key))


@contextmanager
def _serving(folder: Path, served: _Served, secured: Sequence[str]) -> Iterator[str]:
    """The address at which a site is served meanwhile."""
    log = folder / f"served-{served.name}.log"
    log.unlink(missing_ok=True)
    argv = (str(peers.node()), str(_SERVER), *secured, *served.roots)
    with processes.running(argv, env=peers.environment(), cwd=folder, log=log):
        until = time.monotonic() + _LATEST_S
        while not (said := log.read_text() if log.exists() else "").endswith("\n"):
            if time.monotonic() > until:
                raise FailedError(f"the server does not serve: {said}")
            time.sleep(0.02)
        yield f"{'https' if secured else 'http'}://127.0.0.1:{said.split()[0]}"


def _three_pages(opener: Phones, urls: Sequence[str]) -> list[dict[str, float]]:
    """Visit pages one after the other, the browser's cache empty before the first."""
    with opener.tab() as tab:
        return [tab.visit(url) for url in urls]


def _medians(
    name: str, protocol: str, runs: Sequence[Sequence[dict[str, float]]]
) -> list[dict[str, Any]]:
    """A row for each page: the medians over the rounds."""
    return [
        {
            "site": name,
            "protocol": protocol,
            "page": number + 1,
            **{key: round(median(run[number][key] for run in runs), 4) for key in runs[0][number]},
        }
        for number in range(_PAGES)
    ]


def _cost(bench: Bench, count: int, form: str) -> dict[str, Any]:
    """Build, disk and edits of an app of so many pages, with its styles in one form."""
    size = apps.Size(pages=count, components=min(200, count + 2))
    with bench.ground.site(size) as site:
        (site.home / "robbieblocks.toml").write_text(f'[site]\nstyles = "{form}"\n')
        built = site.build(timeout=900)
        release = site.current.resolve()
        kilobytes = sum(file.stat().st_size for file in release.rglob("*.html")) / 1000
        row: dict[str, Any] = {"pages": count, "styles": form, "full": built.wall}
        row["html_mb"] = kilobytes / 1000
        with site.worker() as worker:
            for name in ("one component", "one token", "one branding"):
                worker.until_live(edits.EDITS[name])
                row[name] = median(worker.until_live(edits.EDITS[name]) for _ in bench.rounds(1, 5))
    bench.say(f"  {row}")
    return row
