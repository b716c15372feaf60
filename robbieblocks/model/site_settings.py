"""What rows say of a site besides its pages: `settings` of a node, and of an app's frames."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, Self

from robbieblocks.model.languages import DEFAULT_LANGUAGES, Languages
from robbieblocks.model.values import canonical_json

TrustedTypes = Literal["auto", "on", "off"]
HostUse = Literal["scripts", "styles", "frames", "connects", "images", "media", "fonts"]

ANY_HOST = "https:"
"""Stands for every host with https."""


class Host(NamedTuple):
    """A host as a Content-Security-Policy names it, and what pages may take from it."""

    origin: str
    allows: tuple[HostUse, ...]

    def covers(self, origin: str) -> bool:
        """Whether it stands for this origin with https (CSP 3, "match a URL to a source")."""
        if self.origin == ANY_HOST:
            return True
        own, other = self.origin.removesuffix(":443"), origin.removesuffix(":443")
        before, star, after = own.partition("*")
        # A wildcard stands for every name below its domain, and not for the domain.
        return other.startswith(before) and other.endswith(after) if star else own == other


class SiteScript(NamedTuple):
    """A script that pages load. `data` are its `data-` attributes, without that prefix.

    Where it has a category in `consent`, it is loaded once the visitor agrees to that.
    """

    src: str
    is_async: bool = False
    integrity: str = ""
    consent: str = ""
    data: tuple[tuple[str, str], ...] = ()


class HeadElement(NamedTuple):
    """An element in the head of pages, without content."""

    tag: Literal["link", "meta"]
    attributes: tuple[tuple[str, str], ...]


class ConsentTexts(NamedTuple):
    """What the banner says that asks visitors; "" for the words that it has by itself."""

    text: str = ""
    accept: str = ""
    decline: str = ""


NO_TEXTS = ConsentTexts()


class Icons(NamedTuple):
    """The keys of a node's icons among media, empty for none: in tabs, on home screens, and those
    of the installed site, one of them with room to be cut round. `source` is the one of which those
    are made that are not named.
    """

    source: str = ""
    favicon: str = ""
    touch: str = ""
    app: tuple[str, ...] = ()
    maskable: str = ""


class WebManifest(NamedTuple):
    """What the manifest of an installed site says besides name, colours and icons (W3C)."""

    short_name: str = ""
    display: str = "standalone"
    start_url: str = "/"


class PolicyTrial(NamedTuple):
    """What a policy would be that is only tried: None for the hosts that pages have by now."""

    hosts: tuple[Host, ...] | None = None
    trusted_types: bool = False


# They are in no page: a release has its own file of them.
_OF_HEADERS: Final = frozenset({"framed_by", "permissions", "referrer", "report_only", "reports"})


@dataclass(frozen=True, kw_only=True)
class SiteSettings:
    """One field for each key of `settings`; its default is what holds where no row states it.

    Of several rows those that are lists add up. `languages` are an app's, so no node states them.
    `icons` and `manifest` are a node's, and None where it states none. `schemes` are tokens for
    those who prefer the other theme than the node's: the theme, and a JSON object with the values.
    `social_card` says whether pages without a picture get one for social networks. `trusted_types`
    says whether browsers refuse to make HTML of texts; auto: where no script of the page does so.

    The others become headers. `framed_by` are the origins that may show pages in a frame beside the
    site itself: none for (), the site alone for None. `permissions` are features of browsers with
    who may use them, `reports` is where browsers send reports, `report_only` is a policy that is
    only tried.
    """

    languages: Languages = DEFAULT_LANGUAGES
    icons: Icons | None = None
    manifest: WebManifest | None = None
    schemes: tuple[tuple[str, str], ...] = ()
    hosts: tuple[Host, ...] = ()
    scripts: tuple[SiteScript, ...] = ()
    head: tuple[HeadElement, ...] = ()
    consent: ConsentTexts = NO_TEXTS
    social_card: bool = False
    trusted_types: TrustedTypes = "auto"
    framed_by: tuple[str, ...] | None = None
    permissions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    referrer: str = ""
    report_only: PolicyTrial | None = None
    reports: str = ""

    def allows_frames_of(self, origin: str) -> bool:
        """Whether pages may show a frame of an origin with https: of any, where no host is named
        for frames.
        """
        named = [host for host in self.hosts if "frames" in host.allows]
        return not named or any(host.covers(origin) for host in named)

    @cached_property
    def text(self) -> str:
        """All that is stated of pages, of which fingerprints are made; "" for nothing."""
        stated = {
            field.name: value
            for field in fields(self)
            if field.name not in _OF_HEADERS
            and (value := getattr(self, field.name)) != field.default
        }
        return canonical_json(stated) if stated else ""

    @property
    def of_whole_app(self) -> tuple[str, ...]:
        """The fields that are stated and can't differ between pages of an app."""
        whole = {"languages", *_OF_HEADERS}
        return tuple(
            field.name
            for field in fields(self)
            if field.name in whole and getattr(self, field.name) != field.default
        )

    def over(self, others: Self) -> Self:
        """These settings, with those of `others` where these state nothing; lists add up."""
        if others == NO_SETTINGS:
            return self
        found: dict[str, Any] = {}
        for field in fields(self):
            own, other = getattr(self, field.name), getattr(others, field.name)
            if field.default == ():
                found[field.name] = (*other, *(each for each in own if each not in other))
            elif own == field.default:
                found[field.name] = other
        return replace(self, **found)


NO_SETTINGS = SiteSettings()
