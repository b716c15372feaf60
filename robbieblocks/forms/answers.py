"""What the receiver answers: a document for people, or JSON for the page's own script."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from robbieblocks.assemble import FormField
from robbieblocks.forms.words import Words
from robbieblocks.response_headers import NO_STORE, SECURITY

_STYLE: Final = (
    ":root{color-scheme:light dark}body{margin:0;font:1rem/1.5 system-ui,sans-serif}"
    "main{max-width:40rem;margin:0 auto;padding:2rem 1rem}form,form div{display:grid;gap:.5rem}"
    "form{gap:1.25rem}div[hidden]{display:none}"
    "input:not([type=radio],[type=checkbox]),select,textarea{font:inherit;padding:.5rem}"
    "[role=alert]{border:2px solid;padding:0 1rem;margin-block-end:1.5rem}"
    "ul{padding-inline-start:1.25rem}form p{margin:0}p[id$='-help']{opacity:.8}"
    "label,legend{font-weight:600}label:has(input){display:block;font-weight:400;padding:.25rem 0}"
    "fieldset{margin:0;padding:0;border:0}[aria-invalid]{border:2px solid;outline-offset:2px}"
    "p[id$='-error'],[role=alert] a{color:#b3261e}p[id$='-error']{font-weight:600}"
    "[role=alert],[aria-invalid]{border-color:#b3261e}@media(prefers-color-scheme:dark){"
    "p[id$='-error'],[role=alert] a{color:#ff9a8f}"
    "[role=alert],[aria-invalid]{border-color:#ff9a8f}}"
    "button{font:inherit;padding:.6rem 1.5rem;justify-self:start}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def sent(location: str, *, as_json: bool) -> Response:
    """The form was taken: on to the page that thanks."""
    if as_json:
        return JSONResponse({"sent": True}, headers=dict(NO_STORE))
    return RedirectResponse(location, 303, headers=dict(NO_STORE))


def thanks(words: Words) -> Response:
    """The page that thanks, for forms that name none."""
    return _document(200, words, words.thanks, words.arrived)


def mistakes(
    words: Words,
    *,
    action: str,
    page: str,
    fields: Sequence[FormField],
    given: Mapping[str, str],
    wrong: Mapping[str, str],
    as_json: bool,
) -> Response:
    """The form again, with what was sent and what is wrong with it."""
    if as_json:
        return JSONResponse({"errors": dict(wrong)}, 422, headers=dict(NO_STORE))
    return _document(
        422,
        words,
        words.correct,
        action=action,
        page=page,
        fields=fields,
        sent=given,
        wrong=wrong,
    )


def refused(
    status: int, words: Words, text: str, *, as_json: bool, retry_after_s: int = 0
) -> Response:
    """A form that was not taken, and why."""
    if as_json:
        answer: Response = JSONResponse({"error": text}, status, headers=dict(NO_STORE))
    else:
        answer = _document(status, words, words.not_sent, text)
    if retry_after_s:
        answer.headers["Retry-After"] = str(retry_after_s)
    return answer


def _document(status: int, words: Words, title: str, text: str = "", **values: object) -> Response:
    filled: dict[str, object] = {"wrong": {}, **values}
    html = _template().render(words=words, title=title, text=text, style=_STYLE, **filled)
    headers = {**SECURITY, **NO_STORE, "Content-Security-Policy": _POLICY}
    return HTMLResponse(html, status, headers=headers)


@functools.cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
    )
    return environment.get_template("answer.html.j2")
