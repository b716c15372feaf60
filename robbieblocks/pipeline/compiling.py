"""Assembling pages, compiling the components that they place, and branding nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Final

from robbieblocks import assemble as assembling
from robbieblocks.assemble import Assembly
from robbieblocks.errors import Problem
from robbieblocks.media import IconSet, NoIcons
from robbieblocks.model import (
    Asset,
    BrandedNode,
    Bundle,
    ComponentRow,
    Media,
    NodeRow,
    PageRow,
    Snapshot,
    StyleForm,
    component_specifier,
    reachable,
)
from robbieblocks.pipeline.context import BuildContext
from robbieblocks.pipeline.elsewhere import elsewhere, is_at_its_route
from robbieblocks.pipeline.fingerprints import Fingerprints, styles_are_linked
from robbieblocks.pipeline.media import AppMedia, explained
from robbieblocks.pipeline.node_icons import with_icons
from robbieblocks.pipeline.page_cards import with_drawing
from robbieblocks.pipeline.session import MakingSession
from robbieblocks.row_faults import blame

# Each takes some hundred kilobytes.
_FONTS_KEPT: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledApp:
    """One app, for all nodes: its pages, the modules that they place, and their fingerprints.

    `broken` maps each component that can't be built to its problems and those of what it imports:
    at least one. `styles` is the form of its pages' styles.
    """

    name: str
    assembly: Assembly
    styles: StyleForm
    bundle: Bundle
    fingerprints: Fingerprints
    placed: frozenset[str]
    media: AppMedia
    components: Mapping[str, ComponentRow]
    broken: Mapping[str, tuple[Problem, ...]]

    def problems_of(self, components: Iterable[str]) -> tuple[Problem, ...]:
        """What is wrong with these components, by key."""
        return tuple(chain.from_iterable(self.broken.get(key, ()) for key in components))

    def warnings_of(self, components: Iterable[str]) -> tuple[Problem, ...]:
        """What these components, by key, and all that they import are warned of."""
        found = [each for each in self.bundle.problems if each.severity == "warning"]
        if not found:
            return ()
        reached = reachable(map(component_specifier, components), self.bundle.modules)
        return tuple(each for each in found if component_specifier(each.key) in reached)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """All apps of a build by name, and the nodes' branding by node id."""

    apps: Mapping[str, CompiledApp]
    brands: Mapping[str, BrandedNode]

    @property
    def components(self) -> tuple[str, ...]:
        """The keys of the components that were compiled now, not found in the cache."""
        return tuple(sorted({key for app in self.apps.values() for key in app.bundle.compiled}))


def assemble(
    content: Snapshot, session: MakingSession, *, now: datetime
) -> tuple[Snapshot, Mapping[str, Assembly]]:
    """The content with pages as they are shown at an instant, with frames and lists; and the pages
    of each app of the build, by app: those of unchanged rows are the last build's.

    A page with an error that is live nowhere is in no list: a link to it would lead nowhere.
    """
    memory = session.context.memory
    with session.stopwatch.step("assemble"):
        others, unlisted = elsewhere(session, content.nodes, now), memory.all_unlisted()
        shown = memory.relations.applied(content, now, unlisted, others)
        assemblies = _assembled(shown, session)
        memory.unlisted |= _live_nowhere(assemblies, session, shown.pages)
        if memory.all_unlisted() != unlisted and shown is not content:
            shown = memory.relations.applied(content, now, memory.all_unlisted(), others)
            assemblies = _assembled(shown, session)
        return shown, assemblies


def _assembled(content: Snapshot, session: MakingSession) -> Mapping[str, Assembly]:
    context, memory = session.context, session.context.memory
    apps = sorted({target.app for target in session.targets})
    for app in apps:
        memory.assemblies[app] = assembling.assemble(
            content,
            app,
            layouts=context.page_renderer.layouts(),
            media=content.library,
            forms=context.settings.forms.actions,
            previous=memory.assemblies.get(app),
        )
    return {app: memory.assemblies[app] for app in apps}


def _live_nowhere(
    assemblies: Mapping[str, Assembly], session: MakingSession, pages: Iterable[PageRow]
) -> dict[str, frozenset[str]]:
    """The keys of the pages that are held back without a version that stays live, by app: one that
    moved is not where its row says.
    """
    found = {app: frozenset(assembly.held_back) for app, assembly in assemblies.items()}
    if any(found.values()):
        live = [manifest.by_key for manifest in filter(None, session.live.values())]
        rows = {row.key: row for row in pages}
        there = {
            key
            for key in frozenset[str]().union(*found.values())
            if any(is_at_its_route(entries.get(key), rows.get(key)) for entries in live)
        }
        found = {app: keys - there for app, keys in found.items()}
    return found


def compile_apps(
    content: Snapshot, assemblies: Mapping[str, Assembly], session: MakingSession
) -> Compiled:
    """The modules and fingerprints of each app, and the branding of each node."""
    watch = session.stopwatch
    with watch.step("compile"):
        apps = {
            name: _compiled(name, content, assembly, session)
            for name, assembly in assemblies.items()
        }
    with watch.step("brand"):
        nodes = {target.node for target in session.targets}
        brands = {
            node.id: _branded(node, content, session.context)
            for node in content.nodes
            if node.id in nodes
        }
    return Compiled(apps=apps, brands=brands)


def _branded(node: NodeRow, content: Snapshot, context: BuildContext) -> BrandedNode:
    """The node with its icons, and what draws its cards. Raises as `_icons` and `_font` do.

    Where a library fails over its row it is branded as one that states nothing, with that problem,
    and so not published.
    """
    faults: list[Problem] = []
    branded: BrandedNode | None = None
    with blame(faults.append, "node_branding", node.id):
        branded = context.brand(node, content.tokens, content.library)
    if branded is None:
        bare = NodeRow(id=node.id, name=node.id, enabled_apps=node.enabled_apps)
        branded = context.brand(bare, content.tokens)
        return replace(branded, problems=(*branded.problems, *faults))
    branded = replace(branded, problems=explained(branded.problems, content.library))
    with blame(faults.append, "node_branding", node.id, "settings", pointer="/icons"):
        branded = with_icons(branded, content.library, partial(_icons, content, context))
    drawn = replace(branded, card=None)
    with blame(faults.append, "node_branding", node.id, "settings", pointer="/social_card"):
        drawn = with_drawing(branded, partial(_font, content, context))
    if faults:
        drawn = replace(drawn, problems=(*drawn.problems, *faults))
    return drawn


def _font(content: Snapshot, context: BuildContext, name: str) -> Asset:
    """A font of media, read once. Raises DatabaseUnavailable and SiteUnavailable."""
    known = context.memory.fonts
    if name not in known:
        media = [each for each in content.library.media.values() if name in each.names]
        (known[name],) = context.media.assets(media, {name}, content.media_content)
        for other in [*known][:-_FONTS_KEPT]:
            del known[other]
    return known[name]


def _icons(
    content: Snapshot, context: BuildContext, media: Media, ground: str
) -> IconSet | NoIcons:
    """The icons that are made of a picture. Raises DatabaseUnavailable and SiteUnavailable."""
    form = media.forms[-1]

    def read() -> bytes:
        (asset,) = context.media.assets([media], {form.name}, content.media_content)
        return asset.content

    return context.icons.make(form, read, ground)


def _compiled(
    name: str, content: Snapshot, assembly: Assembly, session: MakingSession
) -> CompiledApp:
    context, memory = session.context, session.context.memory
    placed = frozenset(assembly.placed)
    bundle = context.bundle(content, placed)
    live = [manifest for target, manifest in session.live.items() if target.app == name]
    styles = context.style_form(len(assembly.pages), lambda: styles_are_linked(live))
    fingerprints = Fingerprints(
        bundle,
        styles=styles,
        templates=context.page_renderer.id,
        toolchain=context.toolchain.id,
        previous=memory.fingerprints.get(name),
    )
    fingerprints.keep_only(assembly.pages)
    memory.fingerprints[name] = fingerprints
    return CompiledApp(
        name=name,
        assembly=assembly,
        styles=styles,
        bundle=bundle,
        fingerprints=fingerprints,
        placed=placed,
        media=AppMedia.of(content, context.media),
        components=content.components,
        broken={
            key: explained(
                bundle.blame.get(key)
                or (Problem(entity="component", key=key, what="it can't be built"),),
                content.library,
            )
            for key in bundle.broken
        },
    )
