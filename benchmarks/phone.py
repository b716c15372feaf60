"""A tab of Chromium as a slow phone: by commands of DevTools alone.

What drives pages otherwise puts scripts of its own into each, before its first frame; a page that
starts no script of its own by then would pay for that alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.processes import FailedError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

_LATEST_S: Final = 30.0
# A page is there once it has asked for nothing so long.
_QUIET_S: Final = 0.5
# A phone on Slow 4G, as Lighthouse has it: latency in ms, bytes a second, and how much slower.
_NETWORK: Final = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_638_400 / 8,
    "uploadThroughput": 675_000 / 8,
}
_CPU_SLOWER: Final = 4
_SCREEN: Final = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
_SEEN: Final = (Path(__file__).resolve().parent / "seen.js").read_text()
# Whether the first button counts: nothing was hydrated otherwise.
_LIVES: Final = """(() => {
  const button = document.querySelector("button");
  const before = button.textContent;
  button.click();
  return new Promise((tell) => setTimeout(() => tell(button.textContent !== before), 100));
})()"""
_KINDS: Final = {"Document": "html", "Stylesheet": "css", "Script": "js", "Font": "font"}


@contextmanager
def phones(browser: Browser) -> Iterator[Phones]:
    """What opens tabs of a browser."""
    session, page = browser.new_browser_cdp_session(), browser.new_page()
    try:
        yield Phones(session, page)
    finally:
        page.close()
        session.detach()


class Phones:
    """Opens tabs, each with an empty cache."""

    def __init__(self, session: CDPSession, page: Page) -> None:
        self._session = session
        self._page = page

    @contextmanager
    def tab(self) -> Iterator[Tab]:
        """A tab that is as slow as the phone, and its network as well."""
        context = self._session.send("Target.createBrowserContext")["browserContextId"]
        try:
            where = {"url": "about:blank", "browserContextId": context}
            target = self._session.send("Target.createTarget", where)["targetId"]
            tab = Tab(self._session, self._page, target)
            tab.send("Page.enable")
            tab.send("Network.enable")
            tab.send("Network.emulateNetworkConditions", _NETWORK)
            tab.send("Security.setIgnoreCertificateErrors", {"ignore": True})
            tab.send("Emulation.setDeviceMetricsOverride", _SCREEN)
            tab.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
            tab.send("Emulation.setCPUThrottlingRate", {"rate": _CPU_SLOWER})
            yield tab
            tab.forget()
        finally:
            self._session.send("Target.disposeBrowserContext", {"browserContextId": context})


class Tab:
    """A tab, and what its network did since the last page."""

    def __init__(self, session: CDPSession, page: Page, target: str) -> None:
        self._session = session
        self._page = page
        # Flat sessions of a target are for connections of one's own.
        attached = session.send("Target.attachToTarget", {"targetId": target, "flatten": False})
        self._id = attached["sessionId"]
        self._sent = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._events: list[dict[str, Any]] = []
        session.on("Target.receivedMessageFromTarget", self._received)

    def forget(self) -> None:
        """Listen no more."""
        self._session.remove_listener("Target.receivedMessageFromTarget", self._received)

    def send(self, method: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        """What DevTools answers. Raises FailedError where it is an error, or comes too late."""
        self._sent += 1
        number = self._sent
        message = json.dumps({"id": number, "method": method, "params": values or {}})
        self._session.send(
            "Target.sendMessageToTarget", {"sessionId": self._id, "message": message}
        )
        for _ in self._waiting(method):
            if number in self._answers:
                break
        answer = self._answers.pop(number)
        if "error" in answer:
            raise FailedError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def visit(self, url: str) -> dict[str, float]:
        """LCP and TBT in ms, CLS, requests, and kilobytes by kind.

        Raises FailedError where the page does not come, or does not come to life.
        """
        self._events.clear()
        began = self.send("Page.navigate", {"url": url})
        if wrong := began.get("errorText"):
            raise FailedError(f"{url}: {wrong}")
        self._until_quiet(url)
        seen = self._value(_SEEN)
        found = {f"{name}_ms": float(seen[name]) for name in ("lcp", "tbt")}
        found |= {"cls": float(seen["cls"]), **_traffic(self._events)}
        if self._value(_LIVES) is not True:
            raise FailedError(f"{url} did not come to life")
        return found

    def _until_quiet(self, url: str) -> None:
        read, last = 0, time.monotonic()
        asked = set[str]()
        for _ in self._waiting(url):
            new, read = self._events[read:], len(self._events)
            for event in new:
                number = event["params"].get("requestId", "")
                match event["method"]:
                    case "Network.requestWillBeSent":
                        asked.add(number)
                    case "Network.loadingFinished" | "Network.loadingFailed":
                        asked.discard(number)
                    case _:
                        pass
            if new:
                last = time.monotonic()
            if not asked and time.monotonic() - last > _QUIET_S:
                return

    def _value(self, expression: str) -> Any:
        how = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        found = self.send("Runtime.evaluate", how)
        if "exceptionDetails" in found:
            raise FailedError(f"a script in the page: {found['exceptionDetails']}")
        return found["result"].get("value")

    def _waiting(self, what: str) -> Iterator[None]:
        """Each time that something may have come. Raises FailedError once it takes too long."""
        until = time.monotonic() + _LATEST_S
        while time.monotonic() < until:
            yield
            self._page.wait_for_timeout(5)
        raise FailedError(f"{what}: nothing came in {_LATEST_S:.0f} s")

    def _received(self, event: dict[str, Any]) -> None:
        if event["sessionId"] != self._id:
            return
        message = json.loads(event["message"])
        if "id" in message:
            self._answers[message["id"]] = message
        elif message["method"].startswith("Network."):
            self._events.append(message)


def _traffic(events: list[dict[str, Any]]) -> dict[str, float]:
    """How many requests the network answered, and their kilobytes by kind."""
    kinds: dict[str, str] = {}
    sizes: dict[str, float] = {}
    for event in events:
        values = event["params"]
        match event["method"]:
            case "Network.responseReceived":
                response = values["response"]
                if not (response.get("fromDiskCache") or response.get("fromPrefetchCache")):
                    kinds[values["requestId"]] = _KINDS.get(values["type"], "other")
            case "Network.loadingFinished":
                sizes[values["requestId"]] = values["encodedDataLength"]
            case _:
                pass
    # What the browser's memory had has no bytes.
    sent = {key: size for key in kinds if (size := sizes.get(key, 0.0))}
    found: dict[str, float] = {"requests": float(len(sent))}
    for kind in (*_KINDS.values(), "other"):
        found[f"{kind}_kb"] = sum(size for key, size in sent.items() if kinds[key] == kind) / 1000
    return found
