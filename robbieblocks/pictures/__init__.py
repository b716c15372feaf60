"""Pictures of pages: taken by a Chromium that reaches nothing but the page's site, and compared.

`take` gives each scene's picture, the same bytes each time; `compare` what differs between two.
Playwright drives the browser (the extra `pictures`); it is imported only where pictures are taken.
"""

from robbieblocks.pictures.browser import DRAWING, Browser, find_browser
from robbieblocks.pictures.comparing import Difference, compare, size_of
from robbieblocks.pictures.scenes import HEIGHT_MAX, ORIGIN, Scene, Screen, Taken
from robbieblocks.pictures.taking import take

__all__ = [
    "DRAWING",
    "HEIGHT_MAX",
    "ORIGIN",
    "Browser",
    "Difference",
    "Scene",
    "Screen",
    "Taken",
    "compare",
    "find_browser",
    "size_of",
    "take",
]
