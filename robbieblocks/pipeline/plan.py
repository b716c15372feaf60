"""Deciding, by comparison alone, which pages must be made again: pure.

A page's fingerprint is the hash of everything that it is made from. The live manifest keeps the
fingerprint of each page, so a page whose fingerprint is unchanged is neither rendered nor written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from robbieblocks.assemble import PreparedPage
from robbieblocks.errors import Problem
from robbieblocks.model import (
    AssembledPage,
    BrandedNode,
    Bundle,
    Manifest,
    PageEntry,
    Sha256,
    TokenRow,
    canonical_json,
    component_specifier,
    importers,
    reachable,
    sha256,
)


@dataclass(slots=True)
class _Known:
    """A page's own hash, the components that it places, sorted, and its fingerprint if known.

    `inputs` is the fingerprint with the branding of one node, whose own is `brand`.
    """

    page: AssembledPage
    own: Sha256
    components: tuple[str, ...]
    fingerprint: Sha256 | None = None
    brand: Sha256 | None = None
    inputs: Sha256 | None = None

    @classmethod
    def of(cls, page: AssembledPage) -> Self:
        """Hash everything that the page itself says."""
        parts = [
            page.key,
            page.app,
            page.route,
            page.path,
            page.layout,
            page.title,
            page.description,
            page.title_fill or "",
            canonical_json(page.metadata),
        ]
        for block in page.blocks:
            parts += (
                str(block.order),
                block.zone,
                block.component,
                block.hydrate,
                block.props_json,
                "" if block.fill is None else canonical_json(block.fill),
                "" if block.visitor is None else canonical_json(block.visitor),
            )
        placed = tuple(sorted({block.component for block in page.blocks}))
        return cls(page, sha256("\0".join(parts)), placed)


class Fingerprints:
    """Hashes of what pages are made from; each module is hashed once.

    `previous` are those of the last build: what it knew of a page is known still where the page is
    the very same object and nothing that it is made from has changed.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        shell: str,
        toolchain: str,
        tokens: Sequence[TokenRow],
        previous: Self | None = None,
    ) -> None:
        self._bundle = bundle
        self._tokens = tokens
        self._modules: dict[str, Sha256] = {}
        self._components: dict[str, Sha256] = {}
        self._base = "\0".join(
            (
                shell,
                toolchain,
                bundle.runtime.asset.name,
                bundle.base_stylesheet.name,
                sha256(bundle.isolate),
            )
        )
        self._pages: dict[str, _Known] = previous._pages if previous else {}
        if previous:
            self._forget_changed(previous)

    def component(self, key: str) -> Sha256:
        """The hash of a component's module and of all that it imports, however deep."""
        known = self._components.get(key)
        if known is None:
            modules = reachable([component_specifier(key)], self._bundle.modules)
            known = sha256("\0".join(self._module(name) for name in sorted(modules)))
            self._components[key] = known
        return known

    def page(self, page: AssembledPage) -> Sha256:
        """The hash of what a page is made from, but for the node's branding."""
        known = self._known(page)
        if known.fingerprint is None:
            utilities = self._bundle.utilities_for(known.components)
            parts = (self._base, known.own, utilities.name if utilities else "")
            known.fingerprint = sha256("\0".join((*parts, *map(self.component, known.components))))
        return known.fingerprint

    def inputs(self, page: AssembledPage, brand: Sha256) -> Sha256:
        """The hash of what a page is made from, with the node's branding of that fingerprint."""
        known = self._known(page)
        if known.inputs is None or known.brand != brand:
            known.brand, known.inputs = brand, sha256(self.page(page) + brand)
        return known.inputs

    def placed(self, page: AssembledPage) -> tuple[str, ...]:
        """The components that a page places, sorted."""
        return self._known(page).components

    def _known(self, page: AssembledPage) -> _Known:
        known = self._pages.get(page.key)
        if known is None or known.page is not page:
            known = self._pages[page.key] = _Known.of(page)
        return known

    def forget_all_but(self, pages: Collection[PreparedPage]) -> None:
        """Let go of pages that are no more."""
        if len(self._pages) > len(pages):
            there = {plan.key for plan in pages}
            self._pages = {key: known for key, known in self._pages.items() if key in there}

    def _forget_changed(self, previous: Self) -> None:
        """Forget the fingerprint of each page that a change besides its own may reach."""
        # Utility classes follow tokens, and what modules say.
        alike = self._base == previous._base and self._tokens == previous._tokens
        changed = _changed_components(previous._bundle, self._bundle)
        if alike and not changed:
            return
        for known in self._pages.values():
            if not alike or not changed.isdisjoint(known.components):
                known.fingerprint = known.inputs = None

    def _module(self, specifier: str) -> Sha256:
        known = self._modules.get(specifier)
        if known is None:
            module = self._bundle.modules[specifier]
            sheet = module.stylesheet.name if module.stylesheet else ""
            known = sha256("\0".join((module.asset.name, module.script_hash, sheet)))
            self._modules[specifier] = known
        return known


def _changed_components(before: Bundle, after: Bundle) -> set[str]:
    """The keys of components that are not as they were, or import what is not; also those gone."""
    different = [
        specifier
        for specifier in before.modules.keys() | after.modules.keys()
        if before.modules.get(specifier) != after.modules.get(specifier)
    ]
    # A module whose imports are others now is itself among the different ones.
    found = importers(different, after.modules)
    return {specifier.removeprefix(component_specifier("")) for specifier in found}


def brand_fingerprint(node: BrandedNode) -> Sha256:
    """The hash of what a node's branding adds to a page."""
    assets = (node.stylesheet, node.custom_css, node.custom_scripts, *node.fonts)
    names = [asset.name if asset else "" for asset in assets]
    return sha256(
        "\0".join(
            [
                node.id,
                node.name,
                node.theme,
                node.base_url,
                canonical_json(dict(node.tokens)),
                *names,
            ]
        )
    )


@dataclass(slots=True, kw_only=True)
class Draft:
    """A release in the making for one node and app.

    `fresh` are pages to compose, with their fingerprints; `kept` are entries of the live release
    taken over as they are; `held_back` are pages with errors.
    """

    fresh: list[tuple[AssembledPage, Sha256, Sha256]] = field(default_factory=list)
    kept: list[PageEntry] = field(default_factory=list)
    held_back: dict[str, tuple[Problem, ...]] = field(default_factory=dict)

    @property
    def fresh_pages(self) -> list[AssembledPage]:
        """The pages to compose."""
        return [page for page, _, _ in self.fresh]

    def hold_back(self, key: str, problems: Iterable[Problem], live: Manifest | None) -> None:
        """Leave a page as it is live, if it is live, and say why."""
        self.held_back[key] = tuple(problems)
        entry = live.by_key.get(key) if live else None
        if entry is not None:
            self.kept.append(entry)


def draft(
    pages: Iterable[AssembledPage],
    *,
    held_back: Mapping[str, tuple[Problem, ...]],
    only: frozenset[str],
    live: Manifest | None,
    broken: Mapping[str, tuple[Problem, ...]],
    failures: Mapping[Sha256, tuple[Problem, ...]],
    fingerprints: Fingerprints,
    brand: Sha256,
    damaged: Collection[str] = (),
) -> Draft:
    """Sort an app's pages into those to compose, those to keep and those to hold back.

    `only`, where not empty, names the pages that may change: the others stay as they are live.
    `broken` maps component keys to their problems, `failures` fingerprints of pages that are known
    not to render to theirs: the same input would fail again. `damaged` are keys of pages that are
    live, but not as they were published.
    """
    result = Draft()
    entries = live.by_key if live else {}
    considered = only if only and live else None
    for key, problems in held_back.items():
        if considered is None or key in considered:
            result.hold_back(key, problems, live)
    for page in pages:
        if considered is not None and page.key not in considered:
            continue
        if broken:
            faults = [
                problem for key in fingerprints.placed(page) for problem in broken.get(key, ())
            ]
            if faults:
                result.hold_back(page.key, faults, live)
                continue
        inputs = fingerprints.inputs(page, brand)
        entry = entries.get(page.key)
        if inputs in failures:
            result.hold_back(page.key, failures[inputs], live)
        elif entry is not None and entry.inputs == inputs and page.key not in damaged:
            result.kept.append(entry)
        else:
            result.fresh.append((page, fingerprints.page(page), inputs))
    if considered is not None:
        result.kept += (entry for key, entry in entries.items() if key not in considered)
    return result
