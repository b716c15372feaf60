"""Fills in what a router has to know: the prefix, the headers and the types."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, Literal

from robbieblocks.bucket.pointer import ROUTER_KEY
from robbieblocks.bucket.router_layout import ASSETS
from robbieblocks.model import ASSET_PREFIX
from robbieblocks.objectstore import Address
from robbieblocks.release import BUILD_HEADER
from robbieblocks.response_headers import (
    NO_STORE,
    ONE_YEAR,
    REVALIDATE,
    SECURITY,
    SHOWN_WHILE_ASKED,
    TYPES,
)

RouterKind = Literal["cloudflare", "nginx"]
_SETTINGS: Final = re.compile(r"^const SETTINGS = \{$.*?^\};$", re.MULTILINE | re.DOTALL)
_CACHING: Final = "Cache-Control"


def router_of(kind: RouterKind, address: Address) -> str:
    """The text of a router for a node's part of a bucket."""
    settings = {
        "root": address.prefix,
        "pointer": ROUTER_KEY,
        "assets": ASSETS,
        "assetPrefix": ASSET_PREFIX,
        "buildHeader": BUILD_HEADER,
        "assetCaching": ONE_YEAR[_CACHING],
        "pageCaching": REVALIDATE[_CACHING],
        "sheetCaching": SHOWN_WHILE_ASKED[_CACHING],
        "errorCaching": NO_STORE[_CACHING],
        "headers": SECURITY,
        "types": TYPES,
    }
    text = (Path(__file__).parent / f"{kind}.js").read_text()
    return _SETTINGS.sub(lambda _found: f"const SETTINGS = {json.dumps(settings, indent=2)};", text)
