"""Writes robbieblocks/prerender/isolate/js/browser_names.js: the global names that browsers have.

They are those of the test kit's Chromium, without those of the language and handlers of events, and
a few that only other browsers have. Run it when the kit's Chromium is renewed:
`python -m tools.browser_names`.
"""

from __future__ import annotations

import sys
import textwrap
from typing import Final

from robbieblocks.prerender.isolate.harness import JS_FOLDER
from tests.browser.chromium import launched

FILE: Final = JS_FOLDER / "browser_names.js"
_ADDRESS: Final = "https://secure.test/"  # many are there on secure pages only
_OTHERS: Final = (
    *("ApplePaySession", "GestureEvent", "InstallTrigger", "WebKitPoint", "chrome", "ontouchstart"),
    *("safari", "webkitAudioContext", "mozInnerScreenX", "scrollMaxX", "scrollMaxY"),
)
_OF_WINDOW: Final = "() => Object.getOwnPropertyNames(window)"
# No page is asked which names the language has: the isolate keeps these.
_LANGUAGE: Final = frozenset(
    """
Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date
Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError
URIError SuppressedError globalThis JSON Math Intl ArrayBuffer DataView Uint8Array Int8Array
Uint16Array Int16Array Uint32Array Int32Array Float16Array Float32Array Float64Array
Uint8ClampedArray BigUint64Array BigInt64Array Map BigInt Set Iterator WeakMap WeakSet Proxy Reflect
FinalizationRegistry WeakRef decodeURI decodeURIComponent encodeURI encodeURIComponent escape
unescape eval isFinite isNaN
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
)
_HEAD: Final = """\
// Written by tools/browser_names.py: global names of browsers. Code that asks for one
// that the isolate lacks gets another answer there.

export const BROWSER_NAMES = `
"""


def of_chromium() -> set[str]:
    """The global names of a secure page in Chromium."""
    with launched() as browser:
        page = browser.new_page()
        page.route("**/*", lambda route: route.fulfill(body="<title>x</title>"))
        page.goto(_ADDRESS)
        names: list[str] = page.evaluate(_OF_WINDOW)
    return {name for name in names if not name.startswith("on")} - _LANGUAGE


def main() -> None:
    """Write the file."""
    names = sorted(of_chromium() | {*_OTHERS})
    lines = textwrap.fill(" ".join(names), 98, break_long_words=False, break_on_hyphens=False)
    FILE.write_text(f"{_HEAD}{lines}\n`;\n", encoding="utf-8")
    sys.stdout.write(f"{len(names)} names\n")


if __name__ == "__main__":
    main()
