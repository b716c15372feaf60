"""Writes robbieblocks/css_faults/css_properties.txt: the CSS properties that any browser has.

They are those of the test kit's Chromium, and those of MDN's data that come with React's types.
Run it when the toolchain's lock or the kit's Chromium is renewed: `python -m tools.css_properties`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from robbieblocks.css_faults import PROPERTIES_FILE
from robbieblocks.settings import Settings
from robbieblocks.toolchain import ensure_typescript
from tests.browser.chromium import launched

_NAME = re.compile(r'^  "?([a-z][a-z-]*)"?\?:', re.MULTILINE)
_HYPHENS = re.compile(r"^export interface \w+PropertiesHyphen<.*?^}", re.MULTILINE | re.DOTALL)
# Descriptors of at-rules are among the members as well: no rule may have them.
_OF_CHROMIUM = """() => {
  const names = [];
  for (const name in getComputedStyle(document.body)) names.push(name);
  return names.map((name) => name.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase()))
    .filter((name) => /^[a-z][a-z-]*$/.test(name) && CSS.supports(name, "inherit"));
}"""


def of_types(modules: Path) -> set[str]:
    """The properties that the package csstype has, obsolete ones too."""
    text = (modules / "csstype" / "index.d.ts").read_text(encoding="utf-8")
    return {name for part in _HYPHENS.findall(text) for name in _NAME.findall(part)}


def of_chromium() -> set[str]:
    """The properties that Chromium has, without those of a vendor."""
    with launched() as browser:
        names: list[str] = browser.new_page().evaluate(_OF_CHROMIUM)
    return {name for name in names if not name.startswith("webkit-")}


def main() -> None:
    """Write the file."""
    modules = ensure_typescript(Settings.from_environment(), lambda _: None).modules
    names = sorted(of_types(modules) | of_chromium())
    PROPERTIES_FILE.write_text("\n".join(names) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(names)} properties\n")


if __name__ == "__main__":
    main()
