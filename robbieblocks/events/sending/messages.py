"""What is sent of an event: as Standard Webhooks have it, and as Slack shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from robbieblocks.events.shapes import is_list, is_object
from robbieblocks.messages import counted

# The specification recommends bodies of less than 20 kB.
_LISTED_MAX: Final = 100
_SLACK_MAX: Final = 3_000
# What Slack reads as markup (its documents: "Formatting text for app surfaces"). Without these no
# text of a row can link, mention a person, or call a channel.
_SLACK_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})

_FIELDS: Final = (
    "bucket",
    "release",
    "error",
    "after",
    "page",
    "who",
    "why",
    "until",
    "drift",
    "remedy",
    "message",
    "form",
    "submission",
)
_TELL_PAGES: Final = ("run.published", "bucket.published")
_SENTENCES: Final = {
    "run.published": "published {release}, {pages} (before: {before})",
    "bucket.published": "{bucket} has {release}, {pages} (before: {before})",
    "run.failed": "a run failed, and {release} stays live: {error}",
    "run.held": "held back {pages}: {error}",
    "run.recovered": "recovered, {release} is live; before, its runs were {after}",
    "rolled_back": "{page}rolled back from {before} to {release}{by}{until}{because}",
    "pinned": "release {release} is pinned{by}{until}{because}",
    "unpinned": "release {release} is no longer pinned{by}",
    "held": "{page}is held{by}{until}{because}",
    "released": "{page}is no longer held{by}",
    "drift.detected": "drift ({drift}): {what}{remedy}",
    "freeze.started": "frozen{by}{until}{because}",
    "form.received": "the form {form} on page {on_page} was sent: {submission}{said}",
    "freeze.ended": "no longer frozen{by}{because}",
}


def standard_body(payload: Mapping[str, object]) -> bytes:
    """The body: the payload, of which long lists are cut; equal payloads give equal bytes."""
    data = _data(payload)
    pages = data.get("pages")
    if is_list(pages) and len(pages) > _LISTED_MAX:
        more = data.get("more_pages")
        beyond = len(pages) - _LISTED_MAX + (more if isinstance(more, int) else 0)
        data = {**data, "pages": pages[:_LISTED_MAX], "more_pages": beyond}
    return orjson.dumps({**payload, "data": data})


def slack_body(payload: Mapping[str, object]) -> bytes:
    """A message of one text, as Slack's incoming webhooks take it."""
    text = sentence(payload)
    if len(text) > _SLACK_MAX:
        text = f"{text[: _SLACK_MAX - 4]} ..."
    return orjson.dumps({"text": text.translate(_SLACK_ESCAPES)})


def sentence(payload: Mapping[str, object]) -> str:
    """An event in one or two sentences, for people."""
    data, kind = _data(payload), str(payload.get("type", ""))
    node, app = (str(data.get(key) or "") for key in ("node", "app"))
    place = f"{node}/{app}" if app else node or "all nodes"
    return f"{place}: {_said(kind, data)}"


def _said(kind: str, data: Mapping[str, object]) -> str:
    values = {key: "" if value is None else str(value) for key, value in data.items()}
    given = {key: values.get(key, "") for key in _FIELDS}
    what, fields = data.get("what"), data.get("fields")
    given |= {
        "release": given["release"][:12],
        "before": values.get("release_before", "")[:12],
        "pages": _pages(data) if data.get("pages") or kind in _TELL_PAGES else "a run",
        "what": ", ".join(map(str, what[:5])) if is_list(what) else "",
        "by": f" by {given['who']}" if given["who"] else "",
        "until": f" until {given['until']}" if given["until"] else "",
        "because": f": {given['why']}" if given["why"] else "",
        "remedy": f" -> {given['remedy']}" if given["remedy"] else "",
        "said": "".join(f"\n{each}" for each in fields) if is_list(fields) else "",
        "on_page": given["page"],
        "page": f"page {given['page']} " if given["page"] else "",
    }
    return _SENTENCES.get(kind, "{message}").format_map(given)


def _pages(data: Mapping[str, object]) -> str:
    pages, more = data.get("pages"), data.get("more_pages")
    count = (len(pages) if is_list(pages) else 0) + (more if isinstance(more, int) else 0)
    return counted(count, "page")


def _data(payload: Mapping[str, object]) -> Mapping[str, object]:
    data = payload.get("data")
    return data if is_object(data) else {}
