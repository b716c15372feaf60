"""Takes the pictures of a review: each rendering on a phone and a desktop, before and after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from robbieblocks.errors import ProcessFailed
from robbieblocks.model import SHARED_APP, sha256
from robbieblocks.pipeline import ComposedRun, Target
from robbieblocks.review.pictures.choosing import Rendering, choose
from robbieblocks.review.pictures.values import Picture, Pictured, Pictures
from robbieblocks.review.values import Reviewed
from robbieblocks.settings import Settings

if TYPE_CHECKING:
    from robbieblocks.pictures import Browser, Difference, Scene, Screen, Taken
    from robbieblocks.serve import Release

_Runs = Mapping[Target, ComposedRun]


def take_pictures(
    made: Reviewed,
    *,
    named: Collection[str],
    settings: Settings,
    browser: Browser,
    progress: Callable[[str], None],
) -> Pictures:
    """The pictures of the pages that change, come or go.

    Pages that are `named` are all taken. What can't be taken or compared says why. Raises
    UsageError where there is no browser, and ToolchainUnavailable without odiff.
    """
    # Each of these takes 100 ms to import, and only pictures need them.
    from robbieblocks import pictures, toolchain

    chosen, left_out = choose(made, named)
    if not chosen:
        return Pictures(left_out=left_out)
    screens = (pictures.Screen("phone", 390, 844), pictures.Screen("desktop", 1280, 800))
    odiff = toolchain.ensure_odiff(settings, progress)
    shots = [
        _Shot(
            each, screen, _scene(each, "before", screen, made), _scene(each, "after", screen, made)
        )
        for each in chosen
        for screen in screens
    ]
    scenes = [scene for shot in shots for scene in (shot.before, shot.after) if scene]
    taken = pictures.take(scenes, browser, progress)
    return Pictures(taken=tuple(shot.pictured(taken, odiff) for shot in shots), left_out=left_out)


class _Shot:
    """A rendering on a screen."""

    def __init__(
        self, rendering: Rendering, screen: Screen, before: Scene | None, after: Scene | None
    ) -> None:
        self.rendering = rendering
        self.screen = screen
        self.before = before
        self.after = after

    def pictured(self, taken: Mapping[Scene, Taken], odiff: Path) -> Pictured:
        """What came of it, compared."""
        from robbieblocks import pictures

        found = {
            side: taken[scene]
            for side, scene in (("before", self.before), ("after", self.after))
            if scene
        }
        heights = [each.height for each in found.values()]
        made = {side: _picture(each.picture) for side, each in found.items() if each.picture}
        before, after = made.get("before"), made.get("after")
        difference, failed = _compared(odiff, before, after)
        problems = [f"{side}: {each.problem}" for side, each in found.items() if each.problem]
        notes = {note: None for each in found.values() for note in each.notes}
        return Pictured(
            page=self.rendering.page,
            also=self.rendering.also,
            theme=self.rendering.theme,
            screen=self.screen.name,
            width=self.screen.width,
            before=before,
            after=after,
            difference=_picture(difference.picture) if difference and difference.picture else None,
            pixels=difference.pixels if difference else None,
            percent=difference.percent if difference else None,
            height=max(heights) if max(heights) > pictures.HEIGHT_MAX else 0,
            notes=tuple(notes),
            problems=(*problems, *failed),
        )


def _compared(
    odiff: Path, before: Picture | None, after: Picture | None
) -> tuple[Difference | None, list[str]]:
    """What differs, where both sides are there; and why that is not known, where it is not."""
    from robbieblocks.pictures import compare

    if before is None or after is None:
        return None, []
    try:
        return compare(odiff, before.content, after.content), []
    except ProcessFailed as error:
        return None, [str(error)]


def _picture(content: bytes) -> Picture:
    from robbieblocks.pictures import size_of

    width, height = size_of(content)
    return Picture(content=content, width=width, height=height)


def _scene(rendering: Rendering, side: str, screen: Screen, made: Reviewed) -> Scene | None:
    """A side of a rendering, with the site that answers it; None where the page is not there."""
    from robbieblocks import serve
    from robbieblocks.pictures import Scene

    page: bytes | None = getattr(rendering, side)
    if page is None:
        return None
    runs: _Runs = getattr(made, side)
    node, app = rendering.page.node, rendering.page.app
    key = rendering.page.key
    return Scene(
        page=sha256(page),
        # A changed page may have moved.
        route=runs[Target(node, app)].manifest.by_key[key].route,
        screen=screen,
        theme=rendering.theme,
        app=serve.app_of(_Site(node, runs), node),
    )


class _Site:
    """What one node shows on one side."""

    def __init__(self, node: str, runs: _Runs) -> None:
        self._runs = {
            target.app: run
            for target, run in sorted(runs.items(), key=lambda item: item[0].app == SHARED_APP)
            if target.node == node
        }

    def read(self) -> Iterator[Release]:
        """Each app's release; the shared app last, so that an app's own page wins."""
        from robbieblocks.serve import Release

        for run in self._runs.values():
            yield Release.of(run.manifest, run.contents.__getitem__)

    def asset(self, name: str) -> bytes:
        """An asset of any app. Raises FileNotFoundError."""
        for run in self._runs.values():
            if name in run.assets:
                return run.assets[name].content
        raise FileNotFoundError(name)
