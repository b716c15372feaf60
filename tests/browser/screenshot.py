"""Takes a picture of a page, for a person to look at.

python -m tests.browser.screenshot http://localhost:8000/play/ play.png --width 390 --full
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.browser.chromium import Noise, launched

_TIMEOUT_MS = 15_000


def main() -> int:
    """Take the picture; print what the page said and return 1 where it was not silent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="http://..., file://... or the path of an HTML file")
    parser.add_argument("out", type=Path, help="the PNG to write")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=800)
    parser.add_argument("--scale", type=float, default=1, help="device pixels per CSS pixel")
    parser.add_argument("--full", action="store_true", help="the whole page, not one screen")
    parser.add_argument("--dark", action="store_true", help="prefers-color-scheme: dark")
    parser.add_argument("--no-js", action="store_true", help="as before any script ran")
    parser.add_argument("--motion", action="store_true", help="without prefers-reduced-motion")
    parser.add_argument("--click", action="append", default=[], help="a selector to click first")
    parser.add_argument("--wait", type=int, default=0, help="milliseconds before the picture")
    options = parser.parse_args()
    noise = Noise()
    with launched() as browser:
        page = browser.new_page(
            viewport={"width": options.width, "height": options.height},
            device_scale_factor=options.scale,
            color_scheme="dark" if options.dark else "light",
            java_script_enabled=not options.no_js,
            reduced_motion="no-preference" if options.motion else "reduce",
        )
        page.set_default_timeout(_TIMEOUT_MS)
        noise.watch(page)
        url = options.url if "://" in options.url else Path(options.url).resolve().as_uri()
        page.goto(url, wait_until="load")
        for selector in options.click:
            page.click(selector)
        if options.wait:
            page.wait_for_timeout(options.wait)
        page.screenshot(path=options.out, full_page=options.full)
    sys.stderr.write(str(noise) + "\n" * bool(str(noise)))
    return 1 if str(noise) else 0


if __name__ == "__main__":
    sys.exit(main())
