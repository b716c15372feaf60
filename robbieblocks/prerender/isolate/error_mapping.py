"""From a failed render to a problem of one component, at a line of its stored code.

A stack frame is V8's own (`js/failure.js`) and names a module by `keys.source_name`. The module's
source map leads to the position in the code that the row holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from robbieblocks.errors import Problem
from robbieblocks.model import Bundle, component_specifier, reachable
from robbieblocks.prerender.isolate.keys import source_name
from robbieblocks.prerender.isolate.method_names import method_remedy
from robbieblocks.prerender.isolate.named_places import named_place
from robbieblocks.prerender.isolate.protocol import Failure
from robbieblocks.prerender.isolate.undefined_names import undefined_remedy
from robbieblocks.source_maps import Position, locate

_FRAME: Final = re.compile(r"^rb:([0-9a-f]{16}):(\d+):(\d+)$", re.MULTILINE)
_MINIFIED: Final = re.compile(r"Minified React error #(\d+); visit (\S+)")
# What esbuild makes of an imported name, to be called without its module as `this`.
_IMPORTED: Final = re.compile(r"\(0 ?, ?import_\w++\.(\w++)\)|\bimport_\w++\.(?=\w)")
# The first line of a defined module is its wrapper; see V8Isolate.define.
_WRAPPER_LINES: Final = 1

# React's production build has numbers for its messages (react.dev/errors). These are the errors
# that components cause; the others are React's own mistakes.
REACT_MESSAGES: Final = {
    "31": "an object can't be shown as text: {0}",
    "60": "an element has both children and dangerouslySetInnerHTML",
    "61": "dangerouslySetInnerHTML must be an object with __html",
    "62": "a style must be an object, not a text",
    "65": "an element can't have the name {0}",
    "91": "a <textarea> can't have dangerouslySetInnerHTML",
    "92": "a <textarea> has both a value and children",
    "93": "a <textarea> has more than one child",
    "130": "an element's type is {0}: not a component nor an HTML element",
    "257": "a portal can't be rendered in a page",
    "299": "createPortal was called with something that is not an element of the page",
    "301": "it sets its state each time it renders, without end",
    "312": "it called more hooks than the time before: a hook stands in a condition",
    "321": "a hook was called outside a component's body",
    "394": "it called startTransition while it renders",
    "399": "<{0}> can't have children",
    "400": "<menuitem> can't have children",
    "407": "useSyncExternalStore has no third argument, which gives the value without a browser",
    "426": "it waits for something while it renders",
    "438": "use() was called with {0}: neither a promise nor a context",
    "440": "a function of useEffectEvent was called while it renders",
    "460": "it waits for a promise in a way that React does not know",
    "479": "it called the setter of useOptimistic while it renders",
    "522": "requestFormReset was called with something that is not a form of React's",
    "545": "{0} is there twice",
    "600": "a promise was rejected without a reason",
    "603": "it asks to be rendered in a browser",
    "604": "it asks to be rendered in a browser",
}

# Those that only browsers come to.
_IN_BROWSERS: Final = {
    "185": "it sets its state each time it is updated, without end",
    "300": "it called fewer hooks than the time before: a hook stands in a condition",
    "310": "it called more hooks than the time before: a hook stands in a condition",
    "418": "what it shows in the browser differs from its prerendered HTML",
}

_DEFAULT_FIX: Final = "fix the code, or give the block props that it can show"
# What to do, by a pattern in the message. The first that matches counts.
_FIXES: Final = {
    r"of null \(reading 'use[A-Z]?": (
        "call hooks inside of the component, and not while its text is loaded"
    ),
    r"\bcreate(?:Class|Factory) is not": "React has it no more: write a function that returns JSX",
    r"read only|not extensible|all blocks share|Cannot (?:delete|redefine)|Cannot add": (
        "all blocks share built-in objects and React: keep state in the component"
    ),
    r"Code generation from strings": "eval and new Function are not available; write the code out",
    r"suspended while responding|async function|it waits for|async component": (
        "give the data as props, or load it in useEffect"
    ),
    r"while a page is prerendered": (
        "pages are prerendered without a browser: use it in useEffect or an event handler"
    ),
    r"it preloads ": "serve it from this site, or leave it out",
    r"Maximum call stack": "the recursion does not end: check its last case",
    r"Invalid (?:string|array|array buffer) length|the HTML is \d+ characters": (
        "look for a list or a text that grows without end, or show less of it"
    ),
    r"sets its state each time": (
        "set state in an event handler or in useEffect, not while rendering"
    ),
    r"differs from its prerendered": (
        "render the same at first in both places: read what only browsers know in useEffect"
    ),
    r"hook stands in a condition": "call each hook every time, before any `return`",
    r"useContext\(.*\bis null": "give createContext a first value, or have a Provider around",
    r"text: \[object Date\]": 'show it.toLocaleDateString("en", { dateStyle: "long" })',
    r"text: object with keys \{__html\}": (
        "write <div dangerouslySetInnerHTML={text} />: a text of Markdown or HTML is that already"
    ),
    r"can't be shown as text": "show its fields one by one, or JSON.stringify(it)",
    r"can't have children": "close it, as in <img ... />, and put what is in it beside it",
    r"has both": "keep one of the two",
    r"must be an object with __html": "write dangerouslySetInnerHTML={{ __html: text }}",
    r"a style must be": 'write style={{ color: "red" }}, or use a class',
    r"has no third argument": (
        "give it a third argument: a function that returns the value of the first render"
    ),
    r"neither a promise nor a context": "give it a context, or read the value without use()",
    r"portal|in a browser": "show it in place, or after useEffect has run",
    r"startTransition|useEffectEvent|useOptimistic": (
        "call it in an event handler or in useEffect, not while rendering"
    ),
    r"an element's type is|exports no component": (
        "export a function or class that returns JSX, and check what is imported as <Element>"
    ),
}
_MOUNTS: Final = re.compile(
    r"\b(?:createRoot|hydrateRoot|import_react_dom\w?\.(?:default\.)?(?:render|hydrate))\b"
)
# Where the package's own component for pictures fails that is given none.
_OF_IMAGE: Final = re.compile(r"\bmedia\.p(?:riority|osition)\b")
# What an absent value does, be it a prop or something that only browsers have.
_ABSENT: Final = re.compile(r"Cannot read propert|is not iterable|is not a function|undefined|null")
_ABSENT_FIX: Final = "give the prop a default in props_schema, or handle its absence in the code"


def component_problem(component: str, failure: Failure, bundle: Bundle, cpu_s: float) -> Problem:
    """The problem that a failed render of `component` is reported as.

    It names the component in whose code the error arose, which may be one that it imports.
    """
    bound = failure.get("bound")
    if bound:
        return _stopped_problem(component, bound, cpu_s)
    message = _IMPORTED.sub(r"\1", readable_message(failure.get("message", "")))
    name = failure.get("name", "")
    what = message or f"it failed with {name or 'an error'} without a message"
    if name and name not in {"Error", "Component"} and message:
        what = f"{name}: {message}"
    key, position, line = _position(component, failure.get("stack", ""), bundle)
    if position is None and (named := named_place(component, message, bundle)) is not None:
        key, position = named
    return Problem(
        entity="component",
        key=key,
        field="react_code",
        what=what,
        remedy=failure.get("fix") or remedy_of(message, failure.get("browser", ""), line),
        line=position.line if position else None,
        column=position.column if position else None,
        source=position.text if position else "",
    )


def _stopped_problem(component: str, bound: str, cpu_s: float) -> Problem:
    what, fix = {
        "cpu": (
            f"rendering took longer than {cpu_s:g} s of CPU time and was stopped",
            "look for a loop, a recursion or a regular expression that does not end",
        ),
        "memory": (
            "rendering needed more memory than a block may have and was stopped",
            "look for a list or a text that grows without end",
        ),
        "reactions": (
            "it leaves promises behind that never come to an end, and was stopped",
            "look for an async function or a then() that starts itself again while rendering",
        ),
        "crash": (
            "rendering ended the process that it ran in, most likely because memory ran out",
            "look for a list, a text or an array buffer that grows without end",
        ),
        "killed": (
            "the process that rendered it was killed, twice: by the kernel, or by a person",
            "see what this machine is short of, mostly memory; it is tried again by itself",
        ),
        "again": (
            "not rendered: the same component was stopped several times in this build",
            "fix the component first",
        ),
    }[bound]
    return Problem(
        entity="component",
        key=component,
        field="react_code",
        what=what,
        remedy=fix,
        passing=bound == "killed",
    )


def _position(component: str, stack: str, bundle: Bundle) -> tuple[str, Position | None, str]:
    """The component and position of the innermost stack frame that a source map knows, and the
    compiled line.
    """
    for specifier, line, column in _frames(component, stack, bundle):
        module = bundle.modules[specifier]
        position = locate(module.source_map, line, column)
        if position is not None:
            lines = module.script.split("\n")
            compiled = lines[line - 1] if 0 < line <= len(lines) else ""
            return specifier.removeprefix(component_specifier("")), position, compiled
    return component, None, ""


def _frames(component: str, stack: str, bundle: Bundle) -> Iterator[tuple[str, int, int]]:
    """The frames of the component and of what it imports, innermost first."""
    own = reachable([component_specifier(component)], bundle.modules)
    specifiers = {source_name(specifier): specifier for specifier in own}
    for match in _FRAME.finditer(stack):
        specifier = specifiers.get(match[1], "")
        if specifier.startswith(component_specifier("")):
            yield specifier, int(match[2]) - _WRAPPER_LINES, int(match[3])


def readable_message(message: str) -> str:
    """An error's message; that of React's number, where it is one."""
    match = _MINIFIED.search(message)
    if match is None:
        return message
    text = REACT_MESSAGES.get(match[1]) or _IN_BROWSERS.get(match[1])
    if text is None:
        return f"React failed with its error {match[1]}: https://react.dev/errors/{match[1]}"
    given = parse_qs(urlsplit(match[2].rstrip(".,")).query).get("args[]", [])
    return text.replace("{0}", given[0] if given and given[0] else "undefined")


def remedy_of(message: str, browser: str = "", line: str = "") -> str:
    """What to do; `browser` is the browser's object that the block has read, `line` what failed.

    Having asked for `window` somewhere, as stores do, is seldom why another line fails.
    """
    if _MOUNTS.search(line):
        return "a block is mounted by the page: export the component, and leave this out"
    if _OF_IMAGE.search(line):
        return 'write <Image media={photo} />, with a prop that has "format": "media" in its schema'
    there = f"{browser} is only there in a browser: use it in useEffect or an event handler"
    if browser and re.search(rf"\b{re.escape(browser)}\b", line or browser):
        return there
    found = (fix for pattern, fix in _FIXES.items() if re.search(pattern, message))
    if remedy := method_remedy(message) or undefined_remedy(message):
        return remedy
    if _ABSENT.search(message):
        also = f"; {there}" if browser else ""
        return next(found, _ABSENT_FIX + also)
    return next(found, _DEFAULT_FIX)
