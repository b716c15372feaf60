"""The commands that go back to a release, and hold one live, and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from robbieblocks.cli.completion import node_ids, page_keys
from robbieblocks.cli.options import DatabaseUrl

_Nodes = Annotated[
    list[str] | None, typer.Option("--node", autocompletion=node_ids, help="This node; repeatable.")
]
_Apps = Annotated[list[str] | None, typer.Option("--app", help="This app namespace; repeatable.")]
_All = Annotated[
    bool,
    typer.Option(
        "--all", help="Every app of every node of the site root; not with --node or --app."
    ),
]
_Reason = Annotated[
    str, typer.Option(help="Why, for whoever reads `status`, the history and the pin.")
]
_Pages = Annotated[
    list[str],
    typer.Argument(metavar="PAGE...", autocompletion=page_keys, help="Pages, by page_key."),
]
_Until = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="When it ends by itself, such as 2026-12-24T18:00+01:00. Default: a person ends it.",
        show_default=False,
    ),
]


def rollback(
    reason: _Reason,
    node: _Nodes = None,
    app_: _Apps = None,
    all_: _All = False,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="RELEASE",
            help="The release's build hash, or how it begins. Default: the one live before.",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="PAGE",
            autocompletion=page_keys,
            help="Only this page (by page_key), which is held; the others go on. Repeatable.",
        ),
    ] = None,
    until: _Until = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Go back to a release that was live before, and pin it: nothing newer goes out until `unpin`.

    Changes what is served, at once and without the database; the rows stay as they are, and later
    changes wait. The rollback is recorded in the history of runs where the database answers.

    Example: robbieblocks rollback --app play --reason "broken on phones"
    """
    from robbieblocks.cli.pinning import pins as command

    order = command.Order.of(reason=reason, until=until)
    chosen = command.Chosen(nodes=node or [], apps=app_ or [], every=all_)
    if only:
        chosen.check()
        from robbieblocks.cli.pinning import holds

        holds.rollback(
            only, nodes=node or [], apps=app_ or [], to=to, order=order, database_url=database_url
        )
        return
    command.rollback(chosen, to=to, order=order, database_url=database_url)


def pin(
    reason: _Reason,
    node: _Nodes = None,
    app_: _Apps = None,
    all_: _All = False,
    until: _Until = None,
) -> None:
    """Hold what is live: nothing newer goes out until `unpin`, and changes wait.

    Changes the site root: it writes the file `pinned` beside `current`.

    Example: robbieblocks pin --node vengeance-local --reason "tournament"
    """
    from robbieblocks.cli.pinning import pins as command

    chosen = command.Chosen(nodes=node or [], apps=app_ or [], every=all_)
    command.pin(chosen, command.Order.of(reason=reason, until=until))


def unpin(
    node: _Nodes = None,
    app_: _Apps = None,
    all_: _All = False,
    database_url: DatabaseUrl = None,
) -> None:
    """End pins, and bring everything up to date at once, as `build` does.

    Changes the site root, and the history of runs in the database.

    Example: robbieblocks unpin --node vengeance-local --app play
    """
    from robbieblocks.cli.pinning import pins as command

    chosen = command.Chosen(nodes=node or [], apps=app_ or [], every=all_)
    command.unpin(chosen, database_url=database_url)


def hold(
    page: _Pages,
    reason: _Reason,
    node: _Nodes = None,
    app_: _Apps = None,
    until: _Until = None,
) -> None:
    """Keep pages as they are live while the others go on, until their own rows change.

    Changes the site root: it notes them in the file `held.json` beside `current`.

    Example: robbieblocks hold robbie-play-home --reason "the judges look at it"
    """
    from robbieblocks.cli.pinning import holds
    from robbieblocks.cli.pinning.pins import Order

    order = Order.of(reason=reason, until=until)
    holds.hold(page, nodes=node or [], apps=app_ or [], order=order)


def release(
    page: _Pages,
    node: _Nodes = None,
    app_: _Apps = None,
    database_url: DatabaseUrl = None,
) -> None:
    """End the holds of pages, and bring them up to date at once, as `build` does.

    Changes the site root, and the history of runs in the database.

    Example: robbieblocks release robbie-play-home
    """
    from robbieblocks.cli.pinning import holds

    holds.end(page, nodes=node or [], apps=app_ or [], database_url=database_url)


def freeze(
    until: Annotated[
        str,
        typer.Option(metavar="TIME", help="When it ends, such as 2026-12-27T08:00+01:00."),
    ],
    reason: _Reason,
    node: _Nodes = None,
) -> None:
    """Let nothing new go out until a time: changes wait, and go out then in one release.

    Without --node all nodes are frozen. Going back is possible all the same, and so is
    `build --during-freeze`, which the history keeps.

    Changes the site root: it writes the file `freezes.json`.

    Example: robbieblocks freeze --until 2026-12-27T08:00Z --reason "holidays"
    """
    from robbieblocks.cli.pinning import freezes as command

    command.freeze(node or [], reason=reason, until=until)


def unfreeze(node: _Nodes = None, database_url: DatabaseUrl = None) -> None:
    """End freezes before their time, and bring everything up to date at once, as `build` does.

    Without --node every freeze ends, of all nodes and of single ones. A window of robbieblocks.toml
    stays.

    Changes the site root, and the history of runs in the database.

    Example: robbieblocks unfreeze --node vengeance-local
    """
    from robbieblocks.cli.pinning import freezes as command

    command.unfreeze(node or [], database_url=database_url)
