"""Whether a table's columns here can hold what the master sends."""

from __future__ import annotations

from collections.abc import Mapping

from robbieblocks.sync.master_values import TableRule


def differences(rule: TableRule, here: Mapping[str, str]) -> list[str]:
    """What of the master's table is not here, or is otherwise; columns that only we have don't
    matter: a schema is extended on nodes first.
    """
    if rule.direction == "never":
        return []
    if not here:
        return [f"there is no table {rule.name}"]
    return [
        f"{rule.name}.{name} is missing"
        if name not in here
        else f"{rule.name}.{name} is {here[name]}, there {type_}"
        for name, type_ in rule.columns.items()
        if here.get(name) != type_
    ]
