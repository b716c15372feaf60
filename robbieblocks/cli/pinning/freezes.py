"""`robbieblocks freeze` and `unfreeze`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from robbieblocks import release
from robbieblocks.cli.asking import asking_account, reason_of
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.cli.pinning.pins import bring_up_to_date, instant_ahead
from robbieblocks.errors import UsageError
from robbieblocks.messages import listed, visible_line
from robbieblocks.release import ALL_NODES, SiteRoot
from robbieblocks.settings import Settings


def freeze(nodes: Sequence[str], *, reason: str, until: str) -> None:
    """Freeze nodes, or without any all of them."""
    site_root = SiteRoot.of(Settings.from_environment())
    made = release.freeze(
        site_root,
        nodes,
        who=asking_account(),
        why=reason_of(reason),
        now=datetime.now(UTC),
        until=instant_ahead(until),
    )
    for node in nodes or (ALL_NODES,):
        print_result(visible_line(f"{node or 'all nodes'}: {made}"))


def unfreeze(nodes: Sequence[str], *, database_url: str | None) -> None:
    """End what people froze, then build those nodes. Raises UsageError where nothing is frozen."""
    settings = Settings.from_environment(database_url=database_url)
    site_root = SiteRoot.of(settings)
    now = datetime.now(UTC)
    ended = release.end_freezes(site_root, nodes, now)
    if not ended:
        raise UsageError(
            f"nobody froze {listed(nodes) if nodes else 'anything'}\n"
            "  -> a window of robbieblocks.toml ends by itself; `robbieblocks build "
            "--during-freeze --reason TEXT` publishes before"
        )
    for node, was in ended.items():
        print_progress(visible_line(f"{node or 'all nodes'}: no longer {was}"))
    bring_up_to_date([] if ALL_NODES in ended else list(ended), settings)
