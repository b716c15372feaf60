"""The script that an isolate runs after React and before any component, joined from `js/`.

V8 as mini-racer embeds it loads no modules. So the modules are joined into one function: without
their imports and exports, each sees the names of those before it. They stand in the order in which
they run, because each changes what the next one finds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

JS_FOLDER: Final = Path(__file__).resolve().with_name("js")
MODULES: Final = (
    "host.js",
    "frozen.js",
    "here.js",
    "varying.js",
    "browser_names.js",
    "web_events.js",
    "web_signals.js",
    "web_data.js",
    "web_shapes.js",
    "globals.js",
    "failure.js",
    "react.js",
    "modules.js",
    "freeze.js",
    "html_proof.js",
    "class_words.js",
    "hints.js",
    "render.js",
)
_IMPORT: Final = re.compile(r"^import [^;]*;$", re.MULTILINE)
_EXPORT_LIST: Final = re.compile(r"^export \{[^}]*\};$", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=const )", re.MULTILINE)


def script(*, elsewhere: bool = False) -> str:
    """The harness: an expression whose value is what `render.js` exports as `harness`.

    Stack traces call it harness.js. `elsewhere` is for another clock, locale and randomness.
    """
    names = ("elsewhere.js" if elsewhere and name == "here.js" else name for name in MODULES)
    body = "".join(map(_body, names))
    return f'(() => {{\n"use strict";\n{body}return harness;\n}})()\n//# sourceURL=harness.js'


def _body(name: str) -> str:
    """A module without imports and exports. Its lines keep their order and number."""
    text = (JS_FOLDER / name).read_text("utf-8")
    for pattern in (_IMPORT, _EXPORT_LIST):
        text = pattern.sub(lambda match: "\n" * match[0].count("\n"), text)
    return _EXPORT.sub("", text)
