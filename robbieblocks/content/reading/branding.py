"""`node_branding/<node-id>.toml`, the reviewed source of a node's branding, as a row.

    node_id = "vengeance-local"
    node_name = "Vengeance"
    theme = "dark"
    title_pattern = "{title} · {site}"
    og_image = "/images/share.png"
    base_url = "https://vengeance.example"
    enabled_apps = ["play", "code"]
    custom_css = '''
    ...'''
    custom_scripts = '''
    ...'''

    [settings]
    trusted_types = "off"

    [tokens]
    "color.primary" = "#e5484d"

`node_id` and `node_name` are required. Tokens may be nested (`color = { primary = "..." }`). The
values of tokens, settings, CSS and scripts are checked when the node is branded.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from robbieblocks.brand import (
    KEY_REMEDY,
    THEMES,
    flattened_overrides,
    node_text_problem,
    token_key_problem,
)
from robbieblocks.messages import printable
from robbieblocks.model import NODE_KEYS, JsonObject, NodeRow
from robbieblocks.names import NAME_REMEDY, NODE_LENGTH, app_problem, name_problem
from robbieblocks.source_files import ProblemCollector, Table, read_toml


def read_node(collector: ProblemCollector, file: Path) -> NodeRow | None:
    """The row that a branding file describes, or None where it is not TOML."""
    table = read_toml(collector, file)
    return None if table is None else node_of(table)


def node_of(table: Table) -> NodeRow:
    """The row that a branding file's table describes; what is wrong with it is collected."""
    node_id = table.string("node_id", required=True) or ""
    name = table.string("node_name", required=True, most=255) or ""
    own = {key: text for key in NODE_KEYS if (text := table.string(key))}
    theme = own.get("theme", "")
    overrides = _overrides(table)
    row = NodeRow(
        id=node_id,
        name=name,
        overrides={**own, **overrides},
        enabled_apps=table.strings("enabled_apps"),
        custom_css=table.string("custom_css") or "",
        custom_scripts=table.string("custom_scripts") or "",
        base_url=table.string("base_url") or "",
        settings=table.json_object("settings"),
    )
    table.finish()
    wrong = name_problem(node_id, longest=NODE_LENGTH) if "node_id" in table.values else None
    if wrong:
        table.report("node_id", wrong, NAME_REMEDY)
    if theme and theme not in THEMES:
        table.report("theme", f"is unknown: {printable(theme)}", f"known: {', '.join(THEMES)}")
    for key in own.keys() - {"theme"}:
        if found := node_text_problem(key, own[key]):
            table.report(key, f"is wrong: {found[0]}", found[1])
    for app in row.enabled_apps:
        wrong = app_problem(app)
        if wrong:
            table.report(
                "enabled_apps", f"has the app `{printable(app)}`, which {wrong}", NAME_REMEDY
            )
    return row


def _overrides(table: Table) -> JsonObject:
    """The `[tokens]` table as style overrides."""
    overrides = table.json_object("tokens")
    try:
        flat = flattened_overrides(overrides)
    except ValueError as error:
        table.report("tokens", f"is ambiguous: {error}", "give each token once")
        return {}
    for key, value in flat.items():
        wrong = token_key_problem(key)
        if wrong or key in NODE_KEYS:
            what = f"holds the key `{printable(key)}`, which {wrong or 'stands above [tokens]'}"
            table.report("tokens", what, KEY_REMEDY, inside=key)
        elif isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            what = f"sets {key} to a value that is not a text"
            table.report("tokens", what, "put the value in quotes", inside=key)
    return overrides
