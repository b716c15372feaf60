"""`robbieblocks freeze` and `unfreeze`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from robbieblocks import events, release
from robbieblocks.cli.asking import asking_account, reason_of
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.cli.pinning.pins import bring_up_to_date, instant_ahead
from robbieblocks.cli.pinning.telling import tell_unnoted
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.messages import listed, visible_line
from robbieblocks.release import ALL_NODES, SiteRoot
from robbieblocks.settings import Settings


def freeze(nodes: Sequence[str], *, reason: str, until: str) -> None:
    """Freeze nodes, or without any all of them."""
    settings = Settings.from_environment()
    site_root = SiteRoot.of(settings)
    made = release.freeze(
        site_root,
        nodes,
        who=asking_account(),
        why=reason_of(reason),
        now=datetime.now(UTC),
        until=instant_ahead(until),
    )
    tell_unnoted(site_root)
    for node in nodes or (ALL_NODES,):
        print_result(visible_line(f"{node or 'all nodes'}: {made}"))
        _note(
            settings,
            events.FreezeStarted(
                node=node, at=datetime.now(UTC), who=made.who, why=made.why, until=made.until
            ),
        )


def unfreeze(nodes: Sequence[str], *, database_url: str | None) -> None:
    """End what people froze, then build those nodes. Raises UsageError where nothing is frozen."""
    settings = Settings.from_environment(database_url=database_url)
    site_root = SiteRoot.of(settings)
    now = datetime.now(UTC)
    ended = release.end_freezes(site_root, nodes, now, who=asking_account())
    tell_unnoted(site_root)
    if not ended:
        raise UsageError(
            f"nobody froze {listed(nodes) if nodes else 'anything'}\n"
            "  -> a window of robbieblocks.toml ends by itself; `robbieblocks build "
            "--during-freeze --reason TEXT` publishes before"
        )
    for node, was in ended.items():
        print_progress(visible_line(f"{node or 'all nodes'}: no longer {was}"))
        _note(
            settings,
            events.FreezeEnded(
                node=node, at=now, who=asking_account(), why=was.why, since=was.since
            ),
        )
    bring_up_to_date([] if ALL_NODES in ended else list(ended), settings)


def _note(settings: Settings, event: events.Event) -> None:
    """Tell whom the settings name; what was done stands, also where the disk refuses that."""
    try:
        events.note(settings, event)
    except SiteUnavailable as error:
        print_progress(f"done, but no event tells of it: {error}")
