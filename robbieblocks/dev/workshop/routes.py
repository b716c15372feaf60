"""The workshop's addresses on a node's development server."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from robbieblocks.content import save_example
from robbieblocks.dev.events import Events
from robbieblocks.dev.requests import HEADERS, same_site, sent_object
from robbieblocks.dev.site import PREFIX
from robbieblocks.dev.workshop.stages import Workshop
from robbieblocks.errors import RobbieBlocksError, UsageError
from robbieblocks.messages import visible
from robbieblocks.model import JsonObject, sha256
from robbieblocks.serve import plain
from robbieblocks.settings import Settings
from robbieblocks.toolchain import ensure_axe

_CLIENT: Final = Path(__file__).resolve().parent.parent / "client" / "workshop"
_TYPES: Final = {".js": "text/javascript", ".css": "text/css"}
_FILES: Final = {
    path.name: (path.read_bytes(), _TYPES[path.suffix])
    for path in _CLIENT.iterdir()
    if path.suffix in _TYPES
}
_STAGE_ID: Final = re.compile(r"[0-9a-f]{8,32}")
_PROPS_MAX_BYTES: Final = 2 << 20
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src data:; frame-src 'self'; connect-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkshopServer:
    """Answers for one node. `urls` has the address of each node, `wake` has stages built."""

    workshop: Workshop
    settings: Settings
    events: Events
    node: str
    urls: Mapping[str, str]
    wake: Callable[[], None]
    say: Callable[[str], None]

    async def page(self, _request: Request) -> Response:
        """The workshop's own page."""
        html = (_CLIENT / "workshop.html").read_bytes()
        return HTMLResponse(html, headers={**HEADERS, "Content-Security-Policy": _POLICY})

    async def file(self, request: Request) -> Response:
        """A script or stylesheet of the workshop."""
        found = _FILES.get(str(request.path_params["name"]))
        if found is None:
            return plain(404, "no such file")
        return Response(found[0], media_type=found[1], headers=HEADERS)

    async def axe(self, _request: Request) -> Response:
        """axe-core, which is fetched at first need."""
        try:
            file = await asyncio.to_thread(ensure_axe, self.settings, self.say)
        except RobbieBlocksError as error:
            return plain(503, str(error))
        return Response(file.read_bytes(), media_type="text/javascript", headers=HEADERS)

    async def stream(self, request: Request) -> Response:
        """All components and one stage, now and whenever they are others; then the stage goes."""
        stage_id = request.query_params.get("stage", "")
        if not _STAGE_ID.fullmatch(stage_id):
            return plain(400, "expected a stage")
        return StreamingResponse(
            self._states(stage_id), media_type="text/event-stream", headers=HEADERS
        )

    async def _states(self, stage_id: str) -> AsyncIterator[str]:
        try:
            async for text in self.events.stream(lambda: self._state(stage_id)):
                yield text
        finally:
            self.workshop.drop(stage_id)

    def _state(self, stage_id: str) -> str:
        made = self.workshop.stage(stage_id)
        content = self.workshop.catalogue.content
        nodes = [node for node in (content.nodes if content else ()) if node.id in self.urls]
        return json.dumps(
            {
                "components": self.workshop.catalogue.listed(),
                "nodes": [
                    {"id": node.id, "name": visible(node.name), "theme": node.theme}
                    for node in nodes
                ],
                "node": self.node,
                "stage": made
                and {
                    "component": made.component,
                    "version": made.version,
                    # By this the page knows that there is something else to ask for.
                    "about": sha256(json.dumps(self._about(made.component))),
                    "problems": [
                        {
                            "severity": each.severity,
                            "pointer": each.pointer if each.field == "props" else None,
                            "text": visible(str(each))
                            if each.field != "props"
                            else visible(each.what),
                            "remedy": visible(each.remedy),
                        }
                        for each in made.problems
                    ],
                },
            }
        )

    async def component(self, request: Request) -> Response:
        """A component's schema, examples and uses."""
        found = self._about(request.query_params.get("key", ""))
        return JSONResponse(found, headers=HEADERS)

    def _about(self, key: str) -> JsonObject | None:
        project = self.settings.project.parent if self.settings.project else Path.cwd()
        return self.workshop.catalogue.of(key, self.urls, project)

    async def ask(self, request: Request) -> Response:
        """Show `{"stage": "0f3a...", "component": "welcome", "props": {...}}`."""
        sent = await sent_object(request, _PROPS_MAX_BYTES)
        if isinstance(sent, Response):
            return sent
        stage_id, component, props = (sent.get(name) for name in ("stage", "component", "props"))
        if not (
            isinstance(stage_id, str)
            and _STAGE_ID.fullmatch(stage_id)
            and isinstance(component, str)
            and isinstance(props, dict)
        ):
            return plain(400, "expected stage, component and props")
        self.workshop.ask(stage_id, component, props)
        self.wake()
        return Response(status_code=204, headers=HEADERS)

    async def shown(self, request: Request) -> Response:
        """A stage's page on a node."""
        html = self.workshop.html(
            str(request.path_params["stage"]), str(request.path_params["node"])
        )
        return HTMLResponse(html, headers=HEADERS) if html else plain(404, "nothing is made yet")

    async def save(self, request: Request) -> Response:
        """Write an example; `digest` is that of the file which it replaces, if any."""
        sent = await sent_object(request, _PROPS_MAX_BYTES)
        if isinstance(sent, Response):
            return sent
        key, name, title, props = (
            sent.get(each) for each in ("component", "name", "title", "props")
        )
        if not (
            isinstance(key, str)
            and isinstance(name, str)
            and isinstance(title, str)
            and isinstance(props, dict)
        ):
            return plain(400, "expected component, name, title and props")
        row = self.workshop.catalogue.files.get(key)
        digest = sent.get("digest")
        try:
            if row is None:
                raise UsageError(
                    f"the component {visible(key)} is in no file, so its examples have no place: "
                    "run `robbieblocks content export`"
                )
            before = digest if isinstance(digest, str) else None
            file = save_example(row, name, title, props, before=before)
        except RobbieBlocksError as error:
            return JSONResponse({"error": visible(str(error))}, headers=HEADERS)
        self.say(f"wrote    {file}")
        return JSONResponse({"file": visible(str(file))}, headers=HEADERS)


def workshop_routes(server: WorkshopServer) -> list[Route]:
    """The routes of the workshop."""
    own = f"{PREFIX}workshop/"
    return [
        Route(own, server.page),
        Route(f"{own}axe.js", server.axe),
        Route(f"{own}events", same_site(server.stream)),
        Route(f"{own}component", same_site(server.component)),
        Route(f"{own}stage", same_site(server.ask), methods=["POST"]),
        Route(f"{own}example", same_site(server.save), methods=["POST"]),
        Route(f"{own}stage/{{stage}}/{{node}}", server.shown),
        Route(f"{own}{{name}}", server.file),
    ]
