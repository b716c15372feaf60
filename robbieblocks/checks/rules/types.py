"""What TypeScript finds in components."""

from __future__ import annotations

from collections.abc import Iterator

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.errors import Problem, Transient
from robbieblocks.toolchain import ensure, ensure_typescript
from robbieblocks.typescript import type_problems


def types(checked: Checked) -> Iterator[Found]:
    """Faults in the types of all components, but for those that a build can't read."""
    unread = {
        each.key
        for each in checked.inspection.problems
        if (each.entity, each.field, each.severity) == ("component", "react_code", "error")
        and not each.page
    }
    components = checked.inspection.content.components
    try:
        toolchain = ensure(checked.settings, checked.progress)
        typescript = ensure_typescript(checked.settings, checked.progress)
        problems = type_problems(components, toolchain, typescript)
    except Transient as error:
        what, _, remedy = str(error).partition("\n  -> ")
        remedy = remedy or 'try again, or set types = "off" below [checks] in robbieblocks.toml'
        problems = (Problem(entity="rule", key="types", what=what, remedy=remedy),)
    yield from (Found(each) for each in problems if each.key not in unread)
