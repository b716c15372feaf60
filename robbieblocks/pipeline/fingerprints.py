"""Fingerprints: hashes of everything that a page is made from.

The live manifest keeps the fingerprint of each page: a page whose fingerprint is unchanged is
neither rendered nor written. Beside it the manifest keeps short digests of the page's parts, by
which the next plan tells what differs.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import chain, count
from typing import Final, Self

from robbieblocks.assemble import PreparedPage
from robbieblocks.model import (
    AssembledPage,
    Bundle,
    Manifest,
    PageEntry,
    Sha256,
    StyleForm,
    component_specifier,
    reachable,
    same,
    sha256,
)
from robbieblocks.pipeline.brand_fingerprint import BrandFingerprint
from robbieblocks.pipeline.page_texts import block_text, page_text, short_digest, stated_text

_COMPONENTS: Final = component_specifier("")

_NUMBERS: Final = count(1)
_MAPPED: Final = f"setting:site.source_maps:{short_digest('on')}"


@dataclass(slots=True)
class _KnownPage:
    """What is known of one page object.

    `own` is the hash of what the page itself says, `components` are the keys that it places,
    sorted. `document` is the fingerprint without branding, `inputs` the one with the branding whose
    hash is `brand`, `utilities` the name of the stylesheet that belongs to `document`.
    """

    page: AssembledPage
    own: Sha256
    digests: str
    components: tuple[str, ...]
    document: Sha256 | None = None
    brand: Sha256 | None = None
    inputs: Sha256 | None = None
    utilities: str | None = None

    @classmethod
    def of(cls, page: AssembledPage) -> Self:
        """Hash everything that the page itself says."""
        own, blocks = page_text(page), [*map(block_text, page.blocks)]
        digests = [
            f"{b.order}+{short_digest(stated_text(b) if b.stated_json else text)}"
            for b, text in zip(page.blocks, blocks, strict=True)
        ]
        return cls(
            page,
            sha256("\0".join([own, *([page.image.digest] if page.image else []), *blocks])),
            " ".join([short_digest(own), *digests]),
            tuple(sorted({block.component for block in page.blocks})),
        )


class Fingerprints:
    """The fingerprints of an app's pages; each module is hashed once.

    `previous` are those of the last build. What they hold of a page still holds where the page is
    the same object and nothing that it is made from has changed.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        styles: StyleForm,
        templates: str,
        toolchain: str,
        previous: Self | None = None,
    ) -> None:
        self._bundle = bundle
        self._modules: dict[str, Sha256] = {}
        self._components: dict[str, Sha256] = {}
        self._digests: dict[str, tuple[str, ...]] = {}
        isolate = _script_hash(bundle.isolate)
        parts = (
            styles,
            templates,
            toolchain,
            bundle.runtime_names,
            bundle.base_stylesheet.name,
            isolate,
            # Which words of a page are classes, and of what kind: that follows the tokens.
            bundle.utilities_key,
        )
        self._base = "\0".join(parts)
        self._base_digests = (
            _styles_digest(styles),
            f"template::{short_digest(templates + bundle.base_stylesheet.name)}",
            f"toolchain::{short_digest(toolchain + bundle.runtime_names + isolate)}",
            # The names of the modules differ with it: this only says why.
            *([_MAPPED] if any(each.browser_map for each in bundle.modules.values()) else []),
        )
        self._pages: dict[str, _KnownPage] = previous._pages if previous else {}
        # A number, since holding all that went before would keep it for ever.
        self._number: int = next(_NUMBERS)
        self._follows = previous._number if previous else 0
        self._dropped = self._drop_changed(previous) if previous else None

    def document(self, page: AssembledPage) -> Sha256:
        """The hash of what a page is made from, without the node's branding."""
        known = self._known(page)
        if known.document is None:
            parts = (self._base, known.own, self._utilities(page))
            known.document = sha256("\0".join((*parts, *map(self._component, known.components))))
        return known.document

    def inputs(self, page: AssembledPage, brand: BrandFingerprint) -> Sha256:
        """The hash of what a page is made from, with the node's branding."""
        known = self._pages.get(page.key)
        if known is None or not same(known.page, page):
            known = self._known(page)
        if known.inputs is None or known.brand != brand.whole:
            known.brand, known.inputs = brand.whole, sha256(self.document(page) + brand.whole)
        return known.inputs

    def components(self, page: AssembledPage) -> tuple[str, ...]:
        """The keys of the components that a page places, sorted."""
        return self._known(page).components

    def row_digests(self, prepared: PreparedPage, page: AssembledPage) -> str:
        """The digests of a page's own rows, in a short form.

        First that of the page, with that of the row that it is made of (`1a2b3c4d.5e6f7a8b`), then
        for each block its order, `+` where it shows and `-` where its conditions hide it, and its
        digest: `1a2b3c4d 1+0a1b2c3d 2-ffffffff`.
        """
        digests = self._known(page).digests
        if prepared.row.made is not None:
            own, blank, rest = digests.partition(" ")
            digests = f"{own}.{prepared.row.made.row.digest[:8]}{blank}{rest}"
        if same(prepared.page, page):
            return digests
        shown = {block.order for block in page.blocks}
        hidden = [block for block in prepared.page.blocks if block.order not in shown]
        return " ".join([digests, *(f"{b.order}-{short_digest(stated_text(b))}" for b in hidden)])

    def input_digests(self, page: AssembledPage, brand: BrandFingerprint) -> tuple[str, ...]:
        """The digests of what a page shares with others, each as `entity:key or field:digest`."""
        components = self._known(page).components
        modules = set(chain.from_iterable(map(self._component_digests, components)))
        utilities = f"utilities::{short_digest(self._utilities(page))}"
        media = (f"media:{each.key}:{each.digest[:8]}" for each in page.media)
        # Of a link to itself the page's own row tells.
        links = (f"page:{key}:{short_digest(to)}" for key, to in page.links if key != page.key)
        return (*self._base_digests, utilities, *sorted(modules), *media, *links, *brand.digests)

    def keep_only(self, pages: Collection[PreparedPage]) -> None:
        """Drop what is known of pages that no longer exist."""
        if len(self._pages) > len(pages):
            there = {page.key for page in pages}
            self._pages = {key: known for key, known in self._pages.items() if key in there}

    def _known(self, page: AssembledPage) -> _KnownPage:
        known = self._pages.get(page.key)
        if known is None or not same(known.page, page):
            known = self._pages[page.key] = _KnownPage.of(page)
        return known

    def dropped_since(self, other: Fingerprints) -> Collection[str] | None:
        """The keys of pages whose fingerprint may be another than it was to `other`, though they
        are the same objects; None where that is not known, or all may.
        """
        if self._number == other._number:
            return ()
        return self._dropped if self._follows == other._number else None

    def _drop_changed(self, previous: Self) -> Collection[str] | None:
        """Drop the fingerprint of each page that a change besides its own may reach.

        Returns their keys; None for all.
        """
        alike = self._base == previous._base
        changed = _changed_components(previous._bundle, self._bundle)
        if alike and not changed:
            return ()
        reached = [
            (key, known)
            for key, known in self._pages.items()
            if not alike or not changed.isdisjoint(known.components)
        ]
        for _, known in reached:
            known.document = known.inputs = None
        return [key for key, _ in reached] if alike else None

    def _component(self, key: str) -> Sha256:
        """The hash of a component's module and of all that it imports, however deep."""
        known = self._components.get(key)
        if known is None:
            modules = reachable([component_specifier(key)], self._bundle.modules)
            known = sha256("\0".join(self._module(name) for name in sorted(modules)))
            self._components[key] = known
        return known

    def _component_digests(self, key: str) -> tuple[str, ...]:
        """The digests of a component and of the components that it imports, however deep."""
        known = self._digests.get(key)
        if known is None:
            modules = reachable([component_specifier(key)], self._bundle.modules)
            names = {name: name.removeprefix(_COMPONENTS) for name in modules}
            known = self._digests[key] = tuple(
                f"component:{component}:{self._module(name)[:8]}"
                for name, component in names.items()
                if component != name
            )
        return known

    def _utilities(self, page: AssembledPage) -> str:
        """The name of the stylesheet with the page's utility classes, or nothing."""
        known = self._known(page)
        if known.document is None or known.utilities is None:
            utilities = self._bundle.utilities_for(known.components)
            known.utilities = utilities.name if utilities else ""
        return known.utilities

    def _module(self, specifier: str) -> Sha256:
        known = self._modules.get(specifier)
        if known is None:
            module = self._bundle.modules[specifier]
            sheet = module.stylesheet.name if module.stylesheet else ""
            known = sha256("\0".join((module.asset.name, module.script_hash, sheet)))
            self._modules[specifier] = known
        return known


def _changed_components(before: Bundle, after: Bundle) -> set[str]:
    """The keys of components that changed or went, and of those that import such a module."""
    if same(before.modules, after.modules):
        return set()
    users: dict[str, list[str]] = {}
    for module in (*before.modules.values(), *after.modules.values()):
        for name in module.imports:
            users.setdefault(name, []).append(module.specifier)
    found: set[str] = set()
    waiting = [
        specifier
        for specifier in before.modules.keys() | after.modules.keys()
        if before.modules.get(specifier) != after.modules.get(specifier)
    ]
    while waiting:
        specifier = waiting.pop()
        if specifier not in found:
            found.add(specifier)
            waiting += users.get(specifier, ())
    return {specifier.removeprefix(_COMPONENTS) for specifier in found}


def styles_are_linked(live: Iterable[Manifest | None]) -> bool:
    """Whether most pages of these manifests link their styles; pages on hold may do otherwise."""
    linked = {_styles_digest("linked"), _styles_digest("fixed")}
    pages = [page for manifest in live if manifest for page in manifest.pages]
    return sum(not linked.isdisjoint(page.input_digests) for page in pages) * 2 > len(pages)


def links_sheet(page: PageEntry) -> bool:
    """Whether a page of a manifest links the stylesheet at a fixed address."""
    return _styles_digest("fixed") in page.input_digests


@functools.lru_cache(maxsize=2)
def _script_hash(script: str) -> Sha256:
    """The hash of a large script that builds share."""
    return sha256(script)


@functools.cache
def _styles_digest(styles: StyleForm) -> str:
    return f"setting:site.styles:{short_digest(styles)}"
