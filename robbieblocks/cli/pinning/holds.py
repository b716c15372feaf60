"""`robbieblocks hold` and `release`, and `rollback --only`: pages that stay while others go on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial

from robbieblocks import release
from robbieblocks.cli.asking import asking_account
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.cli.pinning.pins import Attempts, Done, Order, bring_up_to_date, each_in_turn
from robbieblocks.cli.pinning.telling import tell
from robbieblocks.errors import UsageError
from robbieblocks.messages import did_you_mean, visible_line
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings

Place = tuple[str, str]


def rollback(
    pages: Sequence[str],
    *,
    nodes: Collection[str],
    apps: Collection[str],
    to: str | None,
    order: Order,
    database_url: str | None,
) -> None:
    """Give visitors the pages as an earlier release had them, and hold them."""
    settings = Settings.from_environment(database_url=database_url)
    site_root = SiteRoot.of(settings)

    def go(page: str, node: str, app: str) -> Done:
        before = release.live(site_root, node, app)
        went = release.roll_back_page(
            site_root,
            node,
            app,
            page,
            to=to or "",
            address=settings.addresses.of(node),
            **order.as_options(),
        )
        for each in went.not_served:
            print_progress(f"{node}/{app}: {each}")
        tell(settings, site_root, node, app, live_before=before.build_hash if before else "")
        manifest = release.live(site_root, node, app)
        now = manifest.build_hash if manifest else went.hold.build_hash
        return Done(
            node=node, app=app, act=went.hold.act, build_hash=now, said=f"{page} is {went.hold}"
        )

    live = _live_places(site_root, pages, nodes, apps)
    steps = [(*place, partial(go, page)) for page, places in live.items() for place in places]
    each_in_turn(steps, settings, site_root)


def hold(
    pages: Sequence[str], *, nodes: Collection[str], apps: Collection[str], order: Order
) -> None:
    """Hold pages where they are live."""
    settings = Settings.from_environment()
    site_root = SiteRoot.of(settings)

    def go(page: str, node: str, app: str) -> str:
        held = release.hold_page(site_root, node, app, page, **order.as_options())
        tell(settings, site_root, node, app)
        return str(held)

    attempts = Attempts()
    for page, places in _live_places(site_root, pages, nodes, apps).items():
        for node, app in places:
            if said := attempts.of(node, app, partial(go, page)):
                print_result(visible_line(f"{node}/{app}: {page} is {said}"))
    attempts.raise_worst()


def end(
    pages: Sequence[str],
    *,
    nodes: Collection[str],
    apps: Collection[str],
    database_url: str | None,
) -> None:
    """End holds, then build their nodes. Raises UsageError where a page is not held."""
    settings = Settings.from_environment(database_url=database_url)
    site_root = SiteRoot.of(settings)
    attempts = Attempts()
    held = {
        (node, app): found
        for node, app in _chosen(_all_places(site_root), nodes, apps)
        if (found := attempts.of(node, app, partial(release.holds, site_root))) is not None
    }
    known = {key for each in held.values() for key in each}
    for page in pages:
        if page not in known:
            attempts.raise_worst()
            raise UsageError(f"no page {page!r} is held there: {did_you_mean(page, known)}")

    def go(node: str, app: str) -> tuple[str, ...]:
        return release.end_holds(site_root, node, app, pages, who=asking_account())

    freed: list[str] = []
    for node, app in held:
        ended = attempts.of(node, app, go) or ()
        if ended:
            tell(settings, site_root, node, app, who=asking_account())
        for page in ended:
            print_progress(visible_line(f"{node}/{app}: {page} is no longer held"))
            freed.append(node)
    if not freed:
        attempts.raise_worst()
    bring_up_to_date(freed, settings, attempts)


def _live_places(
    site_root: SiteRoot, pages: Sequence[str], nodes: Collection[str], apps: Collection[str]
) -> dict[str, list[Place]]:
    """By page the apps of nodes in which it is live. Raises UsageError where it is in none."""
    live = {
        place: manifest.by_key
        for place in _chosen(_all_places(site_root), nodes, apps)
        if (manifest := release.live(site_root, *place)) is not None
    }
    known = {key for each in live.values() for key in each}
    for page in pages:
        if page not in known:
            raise UsageError(f"no page {page!r} is live there: {did_you_mean(page, known)}")
    return {page: [place for place, keys in live.items() if page in keys] for page in pages}


def _all_places(site_root: SiteRoot) -> list[Place]:
    return [
        (node, app) for node in release.nodes(site_root) for app in release.apps(site_root, node)
    ]


def _chosen(places: Iterable[Place], nodes: Collection[str], apps: Collection[str]) -> list[Place]:
    return [
        (node, app)
        for node, app in places
        if (not nodes or node in nodes) and (not apps or app in apps)
    ]
