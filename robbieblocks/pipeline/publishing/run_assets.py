"""The assets of a run: what its node and its app have, and media that its pages show."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from robbieblocks.model import Asset, BrandedNode
from robbieblocks.pipeline.planning import RunPlan


def new_media(run: RunPlan, names: Collection[str]) -> list[Asset]:
    """The media among these names that are not live, or where something live is damaged, all."""
    live = set(run.live.assets) if run.live and not run.damaged else set[str]()
    wanted = run.app.media.names().intersection(names) - live
    return run.app.media.assets(wanted) if wanted else []


def _brand_assets(brand: BrandedNode) -> tuple[Asset, ...]:
    own = (brand.favicon, brand.manifest, brand.stylesheet, brand.custom_css, brand.custom_scripts)
    return (*(asset for asset in own if asset), *brand.icon_files, *brand.fonts)


def all_assets(run: RunPlan) -> Iterable[Asset]:
    """Every asset that this build has bytes of: one that is missing on disk is written again."""
    bundle = run.app.bundle
    yield from _brand_assets(run.brand)
    yield bundle.base_stylesheet
    for module in (bundle.runtime, *bundle.modules.values()):
        yield module.asset
        if module.stylesheet:
            yield module.stylesheet
        if module.browser_map:
            yield module.browser_map
