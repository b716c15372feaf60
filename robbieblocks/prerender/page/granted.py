"""What settings grant a page: sources in its policy, scripts, and elements of its head."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Final, NamedTuple, Self

from robbieblocks.model import ANY_HOST, Asset, HostUse, SiteScript, SiteSettings
from robbieblocks.prerender.page import head

CONSENT: Final = Asset.of(
    "consent", "js", (Path(__file__).resolve().parent / "consent.js").read_text("utf-8")
)

# The sources of each directive: those that it always has, and the others where no host is named
# for it. Components embed pictures, media, frames and data of other sites.
_DIRECTIVES: Final[tuple[tuple[str, HostUse, str, str], ...]] = (
    ("img-src", "images", "'self' data: blob:", "https:"),
    ("media-src", "media", "'self' data: blob:", "https:"),
    ("font-src", "fonts", "'self'", ""),
    ("connect-src", "connects", "'self'", "https: wss:"),
    ("frame-src", "frames", "'self'", "https:"),
)


class Granted(NamedTuple):
    """What one node's settings and one app's grant a page; no text holds what was not checked.

    `scripts_from` and `styles_from` are sources, each after a space. `others` are the directives
    of pictures, media, fonts, requests and frames. `elements` are links and metas, `scripts` those
    that the page loads, `assets` what these need.
    """

    scripts_from: str
    styles_from: str
    others: str
    elements: str
    scripts: str
    assets: tuple[Asset, ...]

    @classmethod
    @functools.lru_cache(maxsize=256)
    def of(cls, node: SiteSettings, app: SiteSettings) -> Self:
        """Of the settings of a node, and of the frames of an app."""
        settings = app.over(node)
        addresses = [script.src.partition("?")[0] for script in settings.scripts]
        asked = [script for script in settings.scripts if script.consent]
        scripts = [_script(script) for script in settings.scripts if not script.consent]
        if asked:
            scripts.append(_consent(settings, asked))
        return cls(
            _spaced([*hosts(settings, "scripts"), *filter(_is_elsewhere, addresses)]),
            _spaced(hosts(settings, "styles")),
            others(settings),
            "\n".join(f"<{each.tag}{_attributes(each.attributes)}>" for each in settings.head),
            "\n".join(scripts),
            (CONSENT,) if asked else (),
        )


def hosts(settings: SiteSettings, use: HostUse) -> list[str]:
    """The sources of what hosts are allowed, as a policy names them."""
    found = [host.origin for host in settings.hosts if use in host.allows]
    if ANY_HOST in found and use == "connects":
        found.append("wss:")
    return list(dict.fromkeys(found))


def others(settings: SiteSettings) -> str:
    """The directives of a policy that are the same on all pages with these settings."""
    directives: list[str] = []
    for name, use, always, otherwise in _DIRECTIVES:
        own = " ".join(hosts(settings, use)) or otherwise
        first, *rest = always.split(" ")
        directives.append(" ".join(filter(None, (name, first, own, *rest))))
    return "; ".join(directives)


def _spaced(sources: Iterable[str]) -> str:
    return "".join(f" {source}" for source in dict.fromkeys(sources))


def _is_elsewhere(address: str) -> bool:
    return not address.startswith("/")


def _script(script: SiteScript) -> str:
    attributes = [("src", script.src)]
    if script.integrity:
        # Without it a browser gets no bytes that it could hash (W3C SRI).
        attributes += [("integrity", script.integrity), ("crossorigin", "anonymous")]
    attributes += [(f"data-{name}", value) for name, value in script.data]
    when = "async" if script.is_async else "defer"
    return f"<script{_attributes(attributes)} {when}></script>"


def _consent(settings: SiteSettings, scripts: Iterable[SiteScript]) -> str:
    """What consent.js reads, and the script itself."""
    asked = [
        {
            "category": script.consent,
            "src": script.src,
            "integrity": script.integrity,
            "async": script.is_async,
            "data": dict(script.data),
        }
        for script in scripts
    ]
    told = {"scripts": asked, "texts": settings.consent._asdict()}
    text = head.inert(json.dumps(told, separators=(",", ":")))
    return (
        f'<script type="application/json" id="rb-consent">{text}</script>\n{head.script(CONSENT)}'
    )


def _attributes(attributes: Iterable[tuple[str, str]]) -> str:
    return "".join(f' {name}="{escape(head.sendable(value))}"' for name, value in attributes)
