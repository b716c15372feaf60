"""Names that a text uses and nobody declares: imports that were forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from robbieblocks.adoption.hints import Hint
from robbieblocks.adoption.modules import SourceModules
from robbieblocks.bundle import free_names
from robbieblocks.model import component_specifier

# Exported by packages of the toolchain, and names that browsers have themselves.
_BROWSERS: Final = frozenset(
    {
        "Animation",
        "Array",
        "Audio",
        "Blob",
        "Cache",
        "Clipboard",
        "Comment",
        "Crypto",
        "Document",
        "Event",
        "File",
        "FileList",
        "History",
        "Image",
        "Infinity",
        "Keyboard",
        "Location",
        "Lock",
        "Map",
        "MediaStream",
        "Navigator",
        "Node",
        "Notification",
        "Option",
        "Plugin",
        "Proxy",
        "Range",
        "Request",
        "Response",
        "Scheduler",
        "Selection",
        "Set",
        "Storage",
        "Symbol",
        "Text",
        "Touch",
        "Worker",
        "animate",
        "close",
        "delay",
        "find",
        "focus",
        "history",
        "location",
        "max",
        "min",
        "name",
        "open",
        "parse",
        "print",
        "screen",
        "scroll",
        "status",
        "stop",
    }
)


def missing_names(
    path: str,
    modules: SourceModules,
    keys: Mapping[str, str],
    react: Iterable[str],
    packages: Callable[[str], Iterable[str]],
) -> Iterator[Hint]:
    """The first use of each such name, with what exports it.

    `react` are names that need no import. `packages` gives the packages that export a name. Of
    names that are no elements, only those that something exports are told: which others a browser
    has, nobody can list.
    """
    tree = modules.trees[path]
    for each in free_names(tree.text.decode("utf-8", "replace")):
        if each.name in react or each.name == "React":
            continue
        if not each.is_element and each.name in _BROWSERS:
            continue
        remedies = [
            f'import {{ {each.name} }} from "{component_specifier(keys[file])}"'
            for file in modules.exporting(each.name)
            if file in keys and file != path
        ]
        remedies = remedies or [
            f'import {{ {each.name} }} from "{package}"' for package in packages(each.name)
        ]
        if remedies or each.is_element:
            remedy = f"add `{' or '.join(remedies[:2])}`" if remedies else "import or declare it"
            yield Hint(each.offset, f"{each.name} is used and never imported", remedy)
