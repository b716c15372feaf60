"""The frozen values that stages pass to each other, without I/O.

The snapshot makes rows; assemble makes pages, brand nodes, bundle modules and assets, prerender
blocks, and release manifests.
"""

from robbieblocks.model.identity import IdentityMap, same
from robbieblocks.model.modules import Importing, importers, reachable
from robbieblocks.model.rows import (
    BlockRow,
    Bookmark,
    ComponentRow,
    NodeRow,
    PageRow,
    Snapshot,
    TokenRow,
    TriggerRow,
)
from robbieblocks.model.stages import (
    AssembledBlock,
    AssembledPage,
    Asset,
    BrandedNode,
    Bundle,
    FontFace,
    Hydrate,
    Manifest,
    Module,
    PageEntry,
    RenderedBlock,
    RenderJob,
    component_specifier,
)
from robbieblocks.model.values import (
    ASSET_PREFIX,
    SHARED_APP,
    ZONES,
    Json,
    JsonObject,
    Sha256,
    canonical_json,
    sha256,
)

__all__ = [
    "ASSET_PREFIX",
    "SHARED_APP",
    "ZONES",
    "AssembledBlock",
    "AssembledPage",
    "Asset",
    "BlockRow",
    "Bookmark",
    "BrandedNode",
    "Bundle",
    "ComponentRow",
    "FontFace",
    "Hydrate",
    "IdentityMap",
    "Importing",
    "Json",
    "JsonObject",
    "Manifest",
    "Module",
    "NodeRow",
    "PageEntry",
    "PageRow",
    "RenderJob",
    "RenderedBlock",
    "Sha256",
    "Snapshot",
    "TokenRow",
    "TriggerRow",
    "canonical_json",
    "component_specifier",
    "importers",
    "reachable",
    "same",
    "sha256",
]
