"""One attempt to send an event to a webhook."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlsplit

from robbieblocks.errors import UsageError
from robbieblocks.events.sending.messages import slack_body, standard_body
from robbieblocks.events.sending.schedule import read_retry_after
from robbieblocks.messages import visible_line
from robbieblocks.settings import Webhook, is_loopback, url_problem

# For the whole of an attempt, however slowly a server answers. The specification recommends 15 to
# 30 s.
TIMEOUT_S: Final = 20.0
_ANSWER_MAX_BYTES: Final = 65_536
_SHOWN_MAX: Final = 200
# Shorter parts of an address are words, or are guessed anyway.
_SECRET_MIN: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended. `error` is empty where it was received.

    `gone`: the receiver wants no more. `retry_after_s` is when it wants the next one at the
    earliest, in seconds from now.
    """

    error: str = ""
    gone: bool = False
    retry_after_s: float = 0.0


def post(
    webhook: Webhook,
    event_id: str,
    payload: Mapping[str, object],
    now: float,
    *,
    timeout_s: float = TIMEOUT_S,
) -> Outcome:
    """Send an event once. Redirects are not followed, and of the answer 64 KiB are read at most."""
    # These take 100 ms to import, and who notes an event sends none.
    import asyncio

    import httpx

    try:
        url, headers, body = request_of(webhook, event_id, payload, now)
    except UsageError as error:
        return Outcome(error=str(error).partition("\n")[0])
    try:
        status, retry_after, text = asyncio.run(
            asyncio.wait_for(_sent(url, headers, body), timeout_s)
        )
    except TimeoutError:
        return Outcome(error=f"did not answer within {timeout_s:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        said = visible_line(f"{type(error).__name__} {error}".strip())
        return Outcome(error=_without_address(said, url)[:_SHOWN_MAX])
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome()
    if status == HTTPStatus.GONE:
        return Outcome(error="answered 410: it wants no more events", gone=True)
    moved = " with a redirect, which is not followed" if 300 <= status < 400 else ""
    shown = _without_address(text, url)[:_SHOWN_MAX]
    said = f": {shown}" if shown else ""
    return Outcome(
        error=f"answered {status}{moved}{said}", retry_after_s=read_retry_after(retry_after, now)
    )


def request_of(
    webhook: Webhook, event_id: str, payload: Mapping[str, object], now: float
) -> tuple[str, Mapping[str, str], bytes]:
    """The address, headers and body of an attempt. Raises UsageError for a variable not set."""
    from robbieblocks.events.signing import read_secrets, signed_headers

    url = webhook.url or os.environ.get(webhook.url_variable, "")
    if not url:
        raise UsageError(f"{webhook.url_variable} is not set, which has the address")
    if problem := url_problem(url, allow_http=webhook.allow_http):
        raise UsageError(f"the address in {webhook.url_variable or 'url'} {problem[0]}")
    body = slack_body(payload) if webhook.format == "slack" else standard_body(payload)
    headers = {"Content-Type": "application/json", "User-Agent": "RobbieBlocks"}
    if webhook.secret_variable:
        given = os.environ.get(webhook.secret_variable, "")
        secrets = read_secrets(given, webhook.secret_variable)
        headers |= signed_headers(secrets, event_id, datetime.fromtimestamp(now, UTC), body)
    return url, headers, body


def _without_address(text: str, url: str) -> str:
    """A text without the parts of an address that may be secret, which a server may answer."""
    parts = urlsplit(url)
    secret = re.split(r"[/?&=#]", f"{parts.path}/{parts.query}/{parts.username}/{parts.password}")
    for part in sorted((each for each in secret if len(each) >= _SECRET_MIN), key=len)[::-1]:
        for form in (part, unquote(part)):
            text = text.replace(form, "***")
    return text


async def _sent(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str, str]:
    """The status, the Retry-After header, and how the answer begins."""
    import httpx

    # No proxy reaches what listens on this machine alone.
    by_proxy = not is_loopback(httpx.URL(url).host)
    async with (
        httpx.AsyncClient(follow_redirects=False, timeout=TIMEOUT_S, trust_env=by_proxy) as client,
        client.stream("POST", url, headers=dict(headers), content=body) as answer,
    ):
        read = bytearray()
        async for chunk in answer.aiter_raw():
            read += chunk
            if len(read) > _ANSWER_MAX_BYTES:
                break
        text = "" if "content-encoding" in answer.headers else read.decode("utf-8", "replace")
        return (
            answer.status_code,
            answer.headers.get("retry-after", ""),
            visible_line(text.strip()),
        )
