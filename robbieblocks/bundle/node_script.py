"""Reads a node's script as browsers do: a mistake in it would end it on every page, in silence."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Final

from robbieblocks.bundle.analysis import doubtful_script, outer_return
from robbieblocks.bundle.compile import FENCED, Esbuild, remedy_of_text
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
# JavaScript reads `https:` as a label, and the rest as a comment.
_LONE_ADDRESS: Final = re.compile(r"\s*+(?:https?:)?//[\w.-]+\.[a-z]{2,}(?:[/?:#]\S*)?\s*+")
_RETURNED: Final = "there is a `return` outside of a function: browsers run nothing of the script"
_IN_SETTINGS: Final = (
    "name its address in the node's settings, under `scripts` (docs/site-settings.md)"
)
_TAGS: Final = "take the tags away: write the script alone"
_OF_TAGS: Final = {
    r"\s*+<style\b": "put CSS into custom_css",
    r"\s*+<(?:meta|link)\b": "name it under `head` of the node's settings (docs/site-settings.md)",
    r"\s*+<script[^>]*ld\+json": "write linked data into json_ld of a page's metadata",
}
_UNREAD: Final = "mend it: browsers run nothing of a script that they can't read"
# What is no JavaScript, in the line of a syntax error.
_OF_OTHERS: Final = {
    r"^\s*+</?(?:no)?(?:script|style|link|meta|iframe|img)\b": _TAGS,
    r"\b(?:const|let|var)\s++\w++\s*+:|\(\s*+\w++\??:|^\s*+(?:interface|type|enum)\s": (
        "take the types away: browsers read JavaScript, and no TypeScript"
    ),
    r"<[A-Za-z]\w*[\s/>]": "make elements with document.createElement: browsers read no JSX",
    r"^\s*+(?:[.#@:*][A-Za-z-]|body\b|html\b|h[1-6]\b|p\b)[^(){;]*+\{": (
        "put CSS into custom_css: this is a script"
    ),
}


def script_problem(node: NodeRow, esbuild: Esbuild, cache: Cache) -> Problem | None:
    """What keeps browsers from running a node's script, or None.

    Each script is read once. Raises Transient where esbuild can't run.
    """
    text = node.custom_scripts
    if _TAG.match(text):
        is_elsewhere = _ADDRESS.search(text[:2000].partition(">")[0]) is not None
        of_tag = (said for sign, said in _OF_TAGS.items() if re.match(sign, text, re.IGNORECASE))
        remedy = next(of_tag, _IN_SETTINGS if is_elsewhere else _TAGS)
        return _pasted(node, text, "this is HTML, and no script", remedy)
    if text.lstrip().startswith("```"):  # JavaScript takes it for templates
        return _pasted(node, text, "a line with ``` is Markdown, and no script", FENCED)
    if _LONE_ADDRESS.fullmatch(text):
        return _pasted(node, text, "this is an address, and no script", _IN_SETTINGS)
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
        doubts = [] if output.errors else doubtful_script(text)[:1]
        # The function around it, for esbuild, would let it pass.
        returned = None if output.errors else outer_return(text)
        found = {"errors": output.errors[:1], "doubts": doubts, "returned": returned}
        known = json.dumps(found).encode()
        cache.put_many(versioned(_KIND), {key: known})
    found = json.loads(known)
    if found["returned"] is not None:
        doubt = _doubt(node, text, found["returned"], _RETURNED, "write (() => { ... })(); around")
        return replace(doubt, severity="error")
    if found["errors"]:
        return _problem(node, text, *found["errors"][0])
    return _doubt(node, text, *found["doubts"][0]) if found["doubts"] else None


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


def _pasted(node: NodeRow, text: str, what: str, remedy: str) -> Problem:
    return Problem(
        entity="node_branding",
        key=node.id,
        field="custom_scripts",
        what=what,
        remedy=remedy,
        line=1,
        column=1,
        source=text.split("\n", 1)[0],
    )


def _doubt(node: NodeRow, text: str, offset: int, what: str, remedy: str) -> Problem:
    before = text.encode()[:offset].decode("utf-8", "replace").split("\n")
    return Problem(
        entity="node_branding",
        key=node.id,
        field="custom_scripts",
        what=what,
        remedy=remedy,
        line=len(before),
        column=len(before[-1]) + 1,
        source=text.split("\n")[len(before) - 1],
        severity="warning",
    )


def _problem(node: NodeRow, text: str, said: str, line: int, column: int) -> Problem:
    lines = text.split("\n")
    stored = min(max(line, 1), len(lines))
    shown = lines[stored - 1]
    of_others = (remedy for sign, remedy in _OF_OTHERS.items() if re.search(sign, shown))
    remedy = next(of_others, "") or remedy_of_text(text, said, stored) or _UNREAD
    if _AWAIT.search(said) or _MODULE.match(shown):
        remedy = "do without it: the script is no module"
    at = column - (len(_BEFORE) if line == 1 else 0)
    before = shown.encode("utf-8", "replace")[: max(0, at)].decode("utf-8", "replace")
    return Problem(
        entity="node_branding",
        key=node.id,
        field="custom_scripts",
        what=f"this can't be read as JavaScript: {said}",
        remedy=remedy,
        line=stored,
        column=max(1, len(shown)) if line > len(lines) else len(before) + 1,
        source=shown,
    )
