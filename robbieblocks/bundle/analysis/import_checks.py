"""Checks a component's imports: whether there is such a package, and whether it has the names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from robbieblocks.bundle.analysis.problems import code_problem
from robbieblocks.bundle.analysis.syntax import Import
from robbieblocks.errors import Problem
from robbieblocks.messages import nearest
from robbieblocks.model import ComponentRow
from robbieblocks.toolchain import Toolchain

_REACT = frozenset({"react", "react/jsx-runtime", "react-dom"})
_URL = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_STYLES = re.compile(r"\.(css|scss|sass|less|styl)$", re.IGNORECASE)


# The names that a package exports, by its specifier.
ExportedNames = Callable[[str], frozenset[str]]


def check_imports(
    row: ComponentRow, imports: Iterable[Import], exported: ExportedNames, toolchain: Toolchain
) -> Iterator[Problem]:
    """Problems with imports of packages, addresses and files; not with those of components."""
    for each in imports:
        if each.escaped:
            yield code_problem(
                row, each.position, "an import's name is written with escapes", _WRITE_PLAINLY
            )
        elif each.specifier.startswith("@robbieblocks/"):
            continue
        elif each.specifier in _REACT or toolchain.may_import(each.specifier):
            yield from _missing_names(row, each, exported(each.specifier))
        else:
            yield _unknown(row, each, toolchain)


_WRITE_PLAINLY = "write the package's name as it is"


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
            what = f"{each.specifier} has no export {name}"
        yield code_problem(row, each.position, what, remedy)


def _unknown(row: ComponentRow, each: Import, toolchain: Toolchain) -> Problem:
    name = each.specifier
    packages = ", ".join(sorted(toolchain.packages))
    whole = "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
    if _STYLES.search(name):
        what, remedy = "a component can't import a stylesheet", "put the CSS into css_styles"
    elif name.startswith((".", "/")):
        what = f"there is no file {name}: a component stands alone in its row"
        remedy = 'import another component as "@robbieblocks/<component-key>"'
    elif _URL.match(name):
        what = f"{name} is not loaded: code comes from the toolchain only"
        remedy = f"packages that can be imported: {packages}"
    elif name in _INSTEAD:
        what, remedy = f"{name} is not in the toolchain", _INSTEAD[name]
    elif whole in toolchain.packages:
        what = f"the inner path {name} can't be imported"
        inner = [path for path in sorted(toolchain.paths) if path.startswith(f"{whole}/")]
        also = f"; of its inner paths there are {', '.join(inner)}" if inner else ""
        remedy = f'import the names that are used: import {{ ... }} from "{whole}"{also}'
    elif name.startswith(("@/", "~/")):
        what = f"there is no file {name}: a component stands alone in its row"
        remedy = 'store it as a component and import it as "@robbieblocks/<component-key>"'
    else:
        near = nearest(name, toolchain.packages, most=1)
        guess = f"did you mean {near[0]}? " if near else ""
        what = f"the package {name} is not in the toolchain"
        remedy = f"{guess}packages that can be imported: {packages}"
    return code_problem(row, each.position, what, remedy)


# Packages that other projects use, and what to write instead.
_INSTEAD = {
    "axios": "use fetch, which browsers have, in useEffect",
    "classnames": 'import clsx from "clsx", which does the same',
    "dayjs": 'import the functions that are used from "date-fns"',
    "moment": 'import the functions that are used from "date-fns"',
    "motion": 'import { motion } from "framer-motion"',
    "motion/react": 'import { motion } from "framer-motion"',
    "next/image": "write <img>, with width and height",
    "next/link": "write <a href>",
    "next/navigation": "write <a href>, or set location.href in an event handler",
    "next/router": "write <a href>, or set location.href in an event handler",
    "prop-types": "leave it out: props_schema checks props",
    "react-dom/client": "a block is mounted by the page: export the component, and leave this out",
    "react-router-dom": "write <a href>: each page is a page of its own",
    "styled-components": "put the CSS into css_styles, or use Tailwind's classes",
    "@emotion/react": "put the CSS into css_styles, or use Tailwind's classes",
    "@emotion/styled": "put the CSS into css_styles, or use Tailwind's classes",
    "tailwind-merge": 'import clsx from "clsx"',
}
