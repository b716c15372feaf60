"""Deciding, by comparison alone, which pages must be made again: pure.

A page's fingerprint is the hash of everything that it is made from. The live manifest keeps the
fingerprint of each page, so a page whose fingerprint is unchanged is neither rendered nor written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from robbieblocks.errors import Problem
from robbieblocks.model import (
    AssembledPage,
    BrandedNode,
    Bundle,
    Manifest,
    PageEntry,
    Sha256,
    canonical_json,
    component_specifier,
    sha256,
)


@dataclass(frozen=True, slots=True)
class Digest:
    """The hash of a page's own content, and the components that it places, sorted."""

    page: AssembledPage
    hash: Sha256
    components: tuple[str, ...]

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

    `digests` keeps the digest of each page object that was seen, by page key; a build that is
    handed the same objects again hashes none of them again.
    """

    def __init__(
        self, bundle: Bundle, *, shell: str, toolchain: str, digests: dict[str, Digest]
    ) -> None:
        self._bundle = bundle
        self._digests = digests
        self._modules = {
            specifier: sha256(
                "\0".join(
                    (
                        module.asset.name,
                        module.script_hash,
                        module.stylesheet.name if module.stylesheet else "",
                    )
                )
            )
            for specifier, module in bundle.modules.items()
        }
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

    def component(self, key: str) -> Sha256:
        """The hash of a component's module and of all that it imports, however deep."""
        known = self._components.get(key)
        if known is None:
            modules = closure(self._bundle, component_specifier(key))
            known = sha256("\0".join(self._modules[name] for name in sorted(modules)))
            self._components[key] = known
        return known

    def page(self, page: AssembledPage) -> Sha256:
        """The hash of what a page is made from, but for the node's branding."""
        own = self.digest(page)
        utilities = self._bundle.utilities_for(own.components)
        parts = (self._base, own.hash, utilities.name if utilities else "")
        return sha256("\0".join((*parts, *map(self.component, own.components))))

    def digest(self, page: AssembledPage) -> Digest:
        """The page's own hash and its components."""
        known = self._digests.get(page.key)
        if known is None or known.page is not page:
            known = self._digests[page.key] = Digest.of(page)
        return known


def closure(bundle: Bundle, specifier: str) -> set[str]:
    """A module's specifier and those of all modules that it imports, however deep."""
    found: set[str] = set()
    waiting = [specifier]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += bundle.modules[name].imports
    return found


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
            placed = fingerprints.digest(page).components
            faults = [problem for key in placed for problem in broken.get(key, ())]
            if faults:
                result.hold_back(page.key, faults, live)
                continue
        shared = fingerprints.page(page)
        inputs = sha256(shared + brand)
        entry = entries.get(page.key)
        if inputs in failures:
            result.hold_back(page.key, failures[inputs], live)
        elif entry is not None and entry.inputs == inputs and page.key not in damaged:
            result.kept.append(entry)
        else:
            result.fresh.append((page, shared, inputs))
    if considered is not None:
        result.kept += (entry for key, entry in entries.items() if key not in considered)
    return result
