"""Checks a component's imports and its `dependencies` column: whether there are such packages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from robbieblocks.bundle.analysis.foreign_packages import (
    MOUNTED,
    OPEN_REMEDIES,
    in_place_of,
    is_of_node,
    whole_package,
)
from robbieblocks.bundle.analysis.syntax import Import, code_problem
from robbieblocks.errors import Problem
from robbieblocks.messages import nearest, printable
from robbieblocks.model import ComponentRow
from robbieblocks.toolchain import Toolchain

_REACT = frozenset({"react", "react/jsx-runtime", "react-dom"})
_URL = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_LIKENESS: Final = 0.8
_MAX_DEPENDENCIES: Final = 1_000
_MAX_DEPENDENCY_LENGTH: Final = 500
_DEPENDENCY = re.compile(r"(?P<name>@?[^@]+)(?:@(?P<range>.*))?")
_STYLES = re.compile(r"\.(css|scss|sass|less|styl)$", re.IGNORECASE)
_TEXTS: Final = (".json", ".md", ".mdx", ".yaml", ".yml", ".csv", ".txt")
# How the name of a file begins where a bundler maps it to a folder.
_FOLDERS: Final = (
    *(".", "/", "@/", "~/", "#/", "src/", "app/", "components/", "hooks/", "lib/", "utils/"),
)
# Names that React had, or that others think it has.
_REMOVED: Final = {
    **dict.fromkeys(("render", "hydrate", "createRoot", "hydrateRoot"), MOUNTED),
    "findDOMNode": "use a ref: const it = useRef(null), and <p ref={it}>",
    "createFactory": "write a function that returns JSX",
    "createClass": "write a function that returns JSX",
    "PropTypes": "leave it out: props_schema checks props",
    "React": 'write import React from "react", or leave it out',
    "useFormState": "it is useActionState now",
}
_BRANDS: Final = frozenset(
    """
chrome codepen codesandbox dribbble facebook figma framer github gitlab instagram linkedin
pocket rocketchat slack trello twitch twitter x youtube
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
)
_PICTURES: Final = re.compile(
    r"\.(svg|png|jpe?g|gif|webp|avif|ico|mp4|webm|pdf|woff2?)$", re.IGNORECASE
)


def check_imports(
    row: ComponentRow,
    imports: Iterable[Import],
    exported: Callable[[str], frozenset[str]],
    toolchain: Toolchain,
) -> Iterator[Problem]:
    """Problems with imports of packages, addresses and files; not with those of components.

    `exported` returns the names that a package exports, by its specifier.
    """
    for each in imports:
        if each.escaped:
            what = "an import's name is written with escapes"
            yield code_problem(row, each.position, what, "write the package's name as it is")
        elif each.specifier.startswith("@robbieblocks/"):
            continue
        elif each.specifier in _REACT or toolchain.may_import(each.specifier):
            yield from _missing_names(row, each, exported(each.specifier))
        else:
            yield _unknown(row, each, toolchain)


def unseen_import(row: ComponentRow, specifier: str) -> Problem:
    """The problem with an import that esbuild added and the text does not have."""
    what = f"the text makes use of {specifier}, which is not available"
    return code_problem(row, None, what, "remove the @jsx pragma comment; JSX is React's here")


def _missing_names(row: ComponentRow, each: Import, known: frozenset[str]) -> Iterator[Problem]:
    for name in sorted((each.names or frozenset()) - known):
        if name == "default":
            remedy = f'import the names that are used: import {{ ... }} from "{each.specifier}"'
            what = f"{each.specifier} has no default export"
        else:
            near = nearest(name, known)
            remedy = f"did you mean {' or '.join(near)}?" if near else "see the package's own docs"
            if each.specifier in _REACT:
                remedy = _REMOVED.get(name, remedy)
            elif each.specifier == "lucide-react" and name.lower() in _BRANDS:
                remedy = "draw it as <svg>: lucide has no marks of brands"
            what = f"{each.specifier} has no export {name}"
        yield code_problem(row, each.position, what, remedy)


def _unknown(row: ComponentRow, each: Import, toolchain: Toolchain) -> Problem:
    name = each.specifier
    packages = ", ".join(sorted(toolchain.packages))
    whole = whole_package(name)
    if of_file := _file(each):
        what, remedy = of_file
    elif instead := in_place_of(name):
        what, remedy = f"{name} is not in the toolchain", instead
        if is_of_node(name):
            what = f"the package {what}"
        if _URL.match(name):
            what = f"{name} is not loaded: code comes from the toolchain only"
        if instead in OPEN_REMEDIES:
            remedy = f"{instead}; packages that can be imported: {packages}"
    elif whole in toolchain.packages:
        what = f"the inner path {name} can't be imported"
        inner = [path for path in sorted(toolchain.paths) if path.startswith(f"{whole}/")]
        also = f"; of its inner paths there are {', '.join(inner)}" if inner else ""
        remedy = f'import the names that are used: import {{ ... }} from "{whole}"{also}'
    elif _URL.match(name):
        what = f"{name} is not loaded: code comes from the toolchain only"
        remedy = f"packages that can be imported: {packages}"
    else:
        # Another package may well be named after React.
        near = get_close_matches(name[:_MAX_DEPENDENCY_LENGTH], toolchain.packages, 1, _LIKENESS)
        guess = f"did you mean {near[0]}? " if near else ""
        what = f"the package {name} is not in the toolchain"
        remedy = f"{guess}packages that can be imported: {packages}"
    return code_problem(row, each.position, what, remedy)


def _file(each: Import) -> tuple[str, str] | None:
    """What is said of the import of a file, and what to do; None where it names none."""
    name = each.specifier
    file = name.partition("?")[0]
    if _STYLES.search(file):
        also = ', and write class names as text: className="card"' if each.local else ""
        return "a component can't import a stylesheet", f"put the CSS into css_styles{also}"
    if _PICTURES.search(file):
        remedy = 'put it into content/media/, and take it as a prop of the format "media"'
        return f"a component can't import the file {name}", remedy
    if file.endswith(_TEXTS):
        remedy = "give the data as props, or write it into the component"
        return f"a component can't import the file {name}", remedy
    if not name.startswith(_FOLDERS):
        return None
    remedy = 'import another component as "@robbieblocks/<component-key>"'
    joining = next((it for it in ("cn", "cx") if it in each.local), "")
    if joining:
        remedy = f'import clsx from "clsx", and write clsx(...) in place of {joining}(...)'
    elif not name.startswith((".", "/")):
        remedy = 'store it as a component and import it as "@robbieblocks/<component-key>"'
    return f"there is no file {name}: a component stands alone in its row", remedy


def check_dependencies(row: ComponentRow, toolchain: Toolchain) -> Iterator[Problem]:
    """Problems with the `dependencies` column: names, or `name@range` with npm's ranges."""
    versions = {**toolchain.tools, **toolchain.packages}
    if len(row.dependencies) > _MAX_DEPENDENCIES:
        what = f"names {len(row.dependencies):,} packages; {_MAX_DEPENDENCIES:,} are allowed"
        yield _dependency(row, what, "name each once: there are fewer")
        return
    for entry in row.dependencies:
        fits = len(entry) <= _MAX_DEPENDENCY_LENGTH
        match = _DEPENDENCY.fullmatch(entry.strip()) if fits else None
        if match is None:
            what = f"`{printable(entry)}` names no package"
            yield _dependency(row, what, "write it as name or name@range")
            continue
        name, wanted = printable(match["name"]), printable((match["range"] or "*").strip())
        if name.startswith(("@types/", "@robbieblocks/")):
            continue
        if name not in versions:
            packages = ", ".join(sorted(toolchain.packages))
            yield _dependency(
                row,
                f"the package {name} is not in the toolchain",
                f"there are: {packages}; another one is added to the toolchain's package.json",
            )
        elif wanted not in ("", "*", "latest") and not _satisfies(versions[name], wanted):
            yield _dependency(
                row,
                f"{name} is wanted as {wanted}, and the toolchain has {versions[name]}",
                f"write {name} or {name}@^{versions[name].partition('.')[0]}",
            )


def _satisfies(version: str, wanted: str) -> bool:
    try:
        # Imported where it is used: few components name a version, and it takes 4 ms.
        from semantic_version import NpmSpec, Version

        return NpmSpec(wanted).match(Version(version))
    except ValueError:
        return False


def _dependency(row: ComponentRow, what: str, remedy: str) -> Problem:
    return Problem(entity="component", key=row.key, field="dependencies", what=what, remedy=remedy)
