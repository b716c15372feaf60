"""Reads a node's script as browsers do: a mistake in it would end it on every page, in silence."""

from __future__ import annotations

import json
import re
from typing import Final

from robbieblocks.bundle.compile import Esbuild
from robbieblocks.bundle.entries import versioned
from robbieblocks.cache import Cache
from robbieblocks.errors import Problem, ProcessFailed
from robbieblocks.model import NodeRow, sha256
from robbieblocks.process import Killed

_KIND: Final = "node script"
# In a function, since a page's script is no module: it has neither imports nor await.
_BEFORE: Final = "(function(){"
_AFTER: Final = "\n})"
_TAG: Final = re.compile(r"\s*+<(?:!--|!doctype|/?[a-z])", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"\bsrc\s*+=", re.IGNORECASE)
_AWAIT: Final = re.compile(r"\bawait\b")
_MODULE: Final = re.compile(r"\s*+(?:import|export)\b")


def script_problem(node: NodeRow, esbuild: Esbuild, cache: Cache) -> Problem | None:
    """What keeps browsers from running a node's script, or None.

    Each script is read once. Raises Transient where esbuild can't run.
    """
    text = node.custom_scripts
    if _TAG.match(text):
        return _pasted(node, text)
    key = sha256(text)
    known = cache.get_many(versioned(_KIND), [key]).get(key)
    if known is None:
        options = ["--external:*", "--log-override:empty-import-meta=error", "--format=iife"]
        try:
            output = esbuild.run({"node.js": f"{_BEFORE}{text}{_AFTER}"}, ["node.js"], options)
        except ProcessFailed as error:
            # Where esbuild fails over any text, this raises.
            esbuild.run({"node.js": ""}, ["node.js"], options)
            return _unread(node, error)
        known = json.dumps(output.errors[:1]).encode()
        cache.put_many(versioned(_KIND), {key: known})
    found = json.loads(known)
    return _problem(node, text, *found[0]) if found else None


def _unread(node: NodeRow, error: ProcessFailed) -> Problem:
    """esbuild ended over the script, and over no other one."""
    why = str(error).partition("\n")[0].removesuffix("; its last words:")
    return Problem(
        entity="node_branding",
        key=node.id,
        field="custom_scripts",
        what=f"esbuild could not read it: {why}",
        remedy="make it smaller, or nest it less deeply",
        passing=isinstance(error, Killed),
    )


def _pasted(node: NodeRow, text: str) -> Problem:
    remedy = "take the tags away: write the script alone"
    if _ADDRESS.search(text[:2000].partition(">")[0]):
        remedy = "name its address in the node's settings, under `scripts` (docs/site-settings.md)"
    return Problem(
        entity="node_branding",
        key=node.id,
        field="custom_scripts",
        what="this is HTML, and no script",
        remedy=remedy,
        line=1,
        column=1,
        source=text.split("\n", 1)[0],
    )


def _problem(node: NodeRow, text: str, said: str, line: int, column: int) -> Problem:
    lines = text.split("\n")
    stored = min(max(line, 1), len(lines))
    remedy = "mend it: browsers run nothing of a script that they can't read"
    if _AWAIT.search(said) or _MODULE.match(lines[stored - 1]):
        remedy = "do without it: the script is no module"
    at = column - (len(_BEFORE) if line == 1 else 0)
    shown = lines[stored - 1]
    before = shown.encode("utf-8", "replace")[: max(0, at)].decode("utf-8", "replace")
    return Problem(
        entity="node_branding",
        key=node.id,
        field="custom_scripts",
        what=f"this can't be read as JavaScript: {said}",
        remedy=remedy,
        line=stored,
        column=len(shown) if line > len(lines) else len(before) + 1,
        source=shown,
    )
