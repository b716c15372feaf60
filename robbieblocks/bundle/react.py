"""React's own modules: in the browser one file, in the isolate the copies that render.

A page with an island needs React, its JSX runtime and its DOM, always together. As one file they
are one request, and smaller. The import map leads `react` and `react/jsx-runtime` to it.
`react-dom` has a default export of its own, and portals of ours: it is a small module beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, NamedTuple

# What every page with a script loads.
PAGE_NEEDS: Final = ("react",)
# Specifiers of the one file, and the packages in it.
TOGETHER: Final = ("react", "react/jsx-runtime")
_PACKAGES: Final = frozenset({"react", "react-dom"})
_DOM: Final = "__robbieblocksDom"
# The variable of the file that has its packages, and their order.
_ALL: Final = "__robbieblocks"
# What stands in each of React's files, once for all.
_NOTICE: Final = (
    "/*! @license React. Copyright (c) Meta Platforms, Inc. and affiliates. MIT license. */"
)
_INSIDE: Final = ("react", "react/jsx-runtime", "react-dom", "react-dom/client")
# Properties of what React keeps for itself: fibers, roots, queues of hooks. No component reads
# them, so visitors load them as letters. Not `memoizedProps`, which fresh.js reads.
ITS_OWN: Final = (
    "_eventListeners|_fragmentFiber|_observers|_retryCache|_visibility|alternate|attachedListener"
    "|autoName|baseLanes|baseQueue|baseState|blockedOn|cachePool|callbackNode|callbackPriority"
    "|cancelPendingCommit|child|childLanes|clones|containerInfo|dehydrated|deletions|dependencies"
    "|eagerState|elementType|entangledLanes|entanglements|errorRecoveryDisabledLanes"
    "|eventSystemFlags|expirationTimes|expiredLanes|firstBaseUpdate|firstContext|flags"
    "|focusedElem|getSnapshot|hasEagerState|hiddenCallbacks|hiddenUpdates|hoistableScripts"
    "|hoistableStyles|hydrationErrors|imgBytes|imgCount|incompleteTransitions|isBackwards"
    "|isDehydrated|lanes|lastBaseUpdate|lastEffect|lastRenderedReducer|lastRenderedState"
    "|memoCache|memoizedState|memoizedValue|optionsOrUseCapture|paired|passiveEffectDuration"
    "|payload|pendingChildren|pendingContext|pendingLanes|pendingProps|pingCache|pingedLanes"
    "|pooledCache|pooledCacheLanes|refCleanup|refCount|renderingStartTime|retryLane"
    "|retryQueue|revertLane|selectionRange|shellSuspendCounter|sibling|stateNode|stylesheets"
    "|subtreeFlags|suspendedLanes|suspenseyImages|tag|tailMode|targetContainers|timeoutHandle"
    "|treeContext|treeForkCount|unsuspend|updateQueue|waitingForImages|waitingForViewTransition"
    "|warmLanes"
)
# React's developer tools read these objects. Who develops has React as it is.
_FOR_VISITORS: Final = (
    f"--mangle-props=^(?:{ITS_OWN})$",
    "--define:__REACT_DEVTOOLS_GLOBAL_HOOK__=undefined",
)
# In place of React's `createPortal`, in browsers.
_PORTALS: Final = (Path(__file__).parent / "runtime" / "portals.js").read_text("utf-8")

# The CommonJS builds: in the isolate, all use the copies that render.
IN_ISOLATE: Final = {
    "react": "module.exports=globalThis.__rb.React;",
    "react/jsx-runtime": "module.exports=globalThis.__rb.jsx;",
    "react-dom": "module.exports=globalThis.__rb.dom;",
}
# `web` gives what browsers have that only computes, from packages. esbuild runs those when they are
# asked for. Where they keep their state must be made before everything is frozen.
SCRIPT: Final = """
require("core-js-pure/internals/internal-state");
const web = () => ({
  // First: structuredClone throws it.
  DOMException: require("core-js-pure/web/dom-exception"),
  URL: require("core-js-pure/web/url"),
  URLSearchParams: require("core-js-pure/web/url-search-params"),
  structuredClone: require("core-js-pure/web/structured-clone"),
  atob: require("core-js-pure/stable/atob"),
  btoa: require("core-js-pure/stable/btoa"),
  TextEncoder: require("@exodus/bytes/encoding-lite.js").TextEncoder,
  TextDecoder: require("@exodus/bytes/encoding-lite.js").TextDecoder,
});
const React = require("react");
const dom = require("react-dom");
const server = require("react-dom/server.browser");
const jsx = require("react/jsx-runtime");
globalThis.__rb = { React, dom, server, jsx, web };
"""

Names = Callable[[str], Collection[str]]
"""The names that a package exports."""


def file_of(specifier: str) -> str:
    """The name of the file that a specifier leads to."""
    return "react" if specifier in TOGETHER else specifier


def inside(specifier: str) -> frozenset[str]:
    """The packages that a package's file holds: itself, and what is one with it."""
    return _PACKAGES if specifier in TOGETHER else frozenset({specifier.partition("/")[0]})


class Entry(NamedTuple):
    """What is compiled to a module: its text, and esbuild's options for browsers besides."""

    text: str
    options: tuple[str, ...] = ()


def entry(specifier: str, names: Names) -> Entry | None:
    """The text of React's modules; None for any other package's."""
    if specifier in TOGETHER:
        return one_file(names)
    return Entry(_dom(names)) if specifier == "react-dom" else None


def one_file(names: Names, *, for_developers: bool = False) -> Entry:
    """The text of the one file; `for_developers`, React's developer tools find and know it.

    It has its exports from a footer, and one notice: esbuild would write each name three times, and
    each file's notice, which are 900 bytes with gzip.
    """
    required = ",".join(f'require("{package}")' for package in _INSIDE)
    return Entry(
        f"{_ALL}=[{required}];",
        (
            *(() if for_developers else _FOR_VISITORS),
            "--legal-comments=none",
            f"--banner:js={_NOTICE}\nlet {_ALL};",
            f"--footer:js={_exports(names)}",
        ),
    )


def _exports(names: Names) -> str:
    """All names of React's packages; a name that several have is the same thing in each."""
    taken = {"default"}
    lines: list[str] = []
    for at, package in enumerate(_INSIDE):
        free = sorted({*names(package)} - taken)
        taken.update(free)
        lines.append(f"export const{{{','.join(free)}}}={_ALL}[{at}];")
    dom = f"export const {_DOM}={_ALL}[2];"
    return "".join([*lines, dom, f"export default{{...{_ALL}[1],...{_ALL}[0]}};"])


def _dom(names: Names) -> str:
    """What `react-dom` is to components: its names and its default export, with our portals."""
    same = sorted({*names("react-dom")} - {"default", "createPortal"})
    return (
        f'{_PORTALS}\nexport{{{",".join(same)}}}from"react";import{{{_DOM} as dom}}from"react";'
        "export default{...dom,createPortal};"
    )
