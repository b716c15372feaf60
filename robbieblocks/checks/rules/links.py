"""Addresses in pages that lead to nothing on the same node."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from robbieblocks.assemble import thanking_pages
from robbieblocks.checks.finding import Checked
from robbieblocks.checks.markup import Element, Markup
from robbieblocks.checks.sources import Place
from robbieblocks.errors import Problem
from robbieblocks.messages import nearest, printable
from robbieblocks.model import GONE, AssembledPage
from robbieblocks.pipeline import InspectedPage

_ADDRESSES: Final = ("href", "src", "poster")
# What leads to a page, the page that thanks for a form among it; everything else is fetched by the
# page itself.
_LEADS: Final = frozenset({"a", "area", "form"})
# HTML, "select the indicated part": an empty one and `top` are the beginning of any page.
_BEGINNING: Final = frozenset({"", "top"})
# HTML, "parse a srcset attribute": an address ends before a space, and its size before a comma.
SRCSET_CANDIDATE: Final = re.compile(r"([^\s,](?:\S*[^\s,])?)[^,]*")
_HOST: Final = "http://node.invalid"
# The page's picture for networks, which take whole addresses.
_SHARED: Final = Element("meta", {}, None)
_PICTURE: Final = (
    "write media:<key>, a path from / on, or an https URL: no network is told of another"
)
# By what props name files and pages: no browser knows such an address.
_NAMED: Final = {
    "media": 'give the prop "format": "media" in props_schema; "html" where it is a text of HTML',
    "page": 'write its route; or give the prop "format": "html" where it is a text of HTML',
}


@dataclass(frozen=True, slots=True)
class Address:
    """An address on the page's own node: its path, decoded, and its fragment; and the remedy of one
    that no node can have.
    """

    element: Element
    written: str
    path: str
    fragment: str
    remedy: str = ""

    @property
    def is_page(self) -> bool:
        """Whether it is a link, and none to a file."""
        last = self.path.rpartition("/")[2]
        return self.element.tag in _LEADS and ("." not in last or last.endswith(".html"))


def dead_links(page: InspectedPage, markup: Markup, checked: Checked) -> Iterator[Problem]:
    """Links to pages that the node does not have."""
    known = checked.addresses(page.node)
    for address in _addresses(page, markup, checked):
        if address.is_page and address.path not in known and not _leads_on(address, page, checked):
            near = checked.suggestion(address.path, known)
            remedy = f"did you mean {near}?" if near else "mend it, or publish the page"
            what = "no page of the node has the address"
            yield _problem(address, page, checked, what, address.remedy or remedy)


def _leads_on(address: Address, page: InspectedPage, checked: Checked) -> bool:
    moved = checked.redirects(page.node).find(address.path)
    return moved is not None and moved.status != GONE


def missing_files(page: InspectedPage, markup: Markup, checked: Checked) -> Iterator[Problem]:
    """Pictures and other files that the node does not have."""
    known = checked.addresses(page.node)
    for address in _addresses(page, markup, checked):
        if not address.is_page and address.path not in known:
            remedy = "name another, or have the web server in front of the node serve it"
            what = "no file of the node has the address"
            yield _problem(address, page, checked, what, address.remedy or remedy)


def dead_fragments(page: InspectedPage, markup: Markup, checked: Checked) -> Iterator[Problem]:
    """Links to a part of a page that has no element with that id."""
    for address in _addresses(page, markup, checked):
        target = checked.addresses(page.node).get(address.path)
        if address.fragment in _BEGINNING or not address.is_page or target is None:
            continue
        # `#/x` and `#!x` are read by scripts, `:~:text=` by browsers.
        if (
            not address.fragment.startswith(("/", "!", ":~:"))
            and address.fragment not in target.ids
        ):
            near = nearest(address.fragment, target.ids, most=1)
            remedy = f"did you mean #{near[0]}?" if near else "give the element that id"
            what = f"no element of the page has the id {printable(address.fragment)}, as in"
            yield _problem(address, page, checked, what, remedy)


def _problem(
    address: Address, page: InspectedPage, checked: Checked, what: str, remedy: str
) -> Problem:
    if address.element is _SHARED:
        place = Place("page", page.page.key, "metadata", "/og_image")
    else:
        place = checked.sources.of(address.written, page.page, address.element.block)
    return place.problem(f"{what} {printable(address.written)}", remedy)


def _addresses(page: InspectedPage, markup: Markup, checked: Checked) -> Iterator[Address]:
    """The addresses of a page that lead to its own node."""
    own = checked.inspection.brands[page.node].base_url
    for element, written in _all_written(page.page, markup):
        parts = _resolved(page.page.route, written.strip())
        if parts is None:
            # No page and no file has such an address.
            yield Address(element, written, written, "")
        elif parts.scheme in _NAMED:
            yield Address(element, written, written, "", _NAMED[parts.scheme])
        elif element is _SHARED and not written.startswith(("/", "https://")):
            yield Address(element, written, written, "", _PICTURE)
        elif parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" in (
            _HOST,
            own,
        ):
            path, fragment = unquote(parts.path) or "/", unquote(parts.fragment)
            yield Address(element, written, path, fragment)


def _all_written(page: AssembledPage, markup: Markup) -> Iterator[tuple[Element, str]]:
    """Each address that elements have, the page's picture for networks, and where forms lead."""
    for element in markup.elements:
        for written in _written(element.attributes):
            yield element, written
    image = page.metadata.get("og_image")
    if page.image is None and isinstance(image, str) and image.strip():
        yield _SHARED, image
    for block in page.blocks:
        for following in thanking_pages(block.props):
            yield Element("form", {}, block.order), following


# Each rule asks for each address, on each node.
@lru_cache(maxsize=1 << 16)
def _resolved(route: str, written: str) -> SplitResult | None:
    """The whole address; None for one that can't be read, such as `http://[`."""
    try:
        return urlsplit(urljoin(_HOST + route, written))
    except ValueError:
        return None


def _written(attributes: Mapping[str, str]) -> Iterator[str]:
    yield from (attributes[name] for name in _ADDRESSES if attributes.get(name, "").strip())
    yield from SRCSET_CANDIDATE.findall(attributes.get("srcset", ""))
