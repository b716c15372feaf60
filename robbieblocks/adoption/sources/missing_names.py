"""Names that a text uses and nobody declares: imports that were forgotten."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from robbieblocks.adoption.hints import Hint
from robbieblocks.adoption.sources.modules import SourceModules
from robbieblocks.bundle import free_names
from robbieblocks.model import component_specifier

# What browsers have themselves, as far as a person may have called something so, too.
_BROWSERS: Final = frozenset(
    re.findall(
        r"\w+",
        """
    addEventListener alert Animation arguments Array atob Atomics Attr Audio Blob blur Boolean
    btoa Cache caches cancelAnimationFrame cancelIdleCallback captureEvents clearInterval
    clearTimeout clientInformation Clipboard close closed Comment confirm console cookieStore
    createImageBitmap Credential crossOriginIsolated Crypto crypto customElements Date decodeURI
    decodeURIComponent devicePixelRatio dispatchEvent Document document Element encodeURI
    encodeURIComponent Error escape eval Event event external External fetch File FileList focus
    frameElement frames Function Gamepad Geolocation getComputedStyle getSelection globalThis
    Headers Highlight History history Image indexedDB Infinity innerHeight innerWidth isFinite
    isNaN isSecureContext length localStorage location Location locationbar Lock Map matchMedia
    Math MediaStream menubar moveBy moveTo name Navigation navigation Navigator navigator Node
    Notification Number Object open opener Option orientation origin originAgentCluster
    outerHeight outerWidth pageXOffset pageYOffset parent parseFloat parseInt performance
    Performance Permissions personalbar Plugin postMessage print Promise prompt Proxy
    queueMicrotask Range releaseEvents removeEventListener reportError Request
    requestAnimationFrame requestIdleCallback resizeBy resizeTo Response Sanitizer scheduler
    Scheduler Screen screen screenLeft screenTop screenX screenY scroll scrollbars scrollBy
    scrollTo scrollX scrollY Selection self sessionStorage Set setInterval setTimeout
    speechSynthesis status statusbar stop Storage String structuredClone Symbol Text toolbar top
    toString Touch undefined unescape ViewTransition visualViewport webkitURL Window window
    Worker Worklet
    """,
    )
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
