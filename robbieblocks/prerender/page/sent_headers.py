"""The headers that pages are sent with by settings: what a policy in the page itself can't say.

`frame-ancestors`, `report-uri` and a policy that is only tried count in headers alone (CSP 3, 4.2).
A page's own policy names its inline scripts and styles by hash, so what is reported beside it is
made of the parts that all pages share; it refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from robbieblocks.model import PolicyTrial, SiteSettings
from robbieblocks.prerender.page import head
from robbieblocks.prerender.page.granted import Granted
from robbieblocks.prerender.page.policy import FIXED

_ENDPOINT: Final = "site"
_NO_TRIAL: Final = PolicyTrial()


def sent_headers(node: SiteSettings, app: SiteSettings) -> dict[str, str]:
    """By name, those that the settings of a node and of an app's frames ask for.

    Every value is ASCII, and none holds what was not checked.
    """
    settings = app.over(node)
    to = f"; report-uri {settings.reports}; report-to {_ENDPOINT}" if settings.reports else ""
    found: dict[str, str] = {}
    if settings.framed_by is not None or settings.reports:
        found["Content-Security-Policy"] = f"frame-ancestors {_ancestors(settings)}{to}"
    if settings.reports or settings.report_only:
        found["Content-Security-Policy-Report-Only"] = f"{_reported(settings)}{to}"
    if settings.permissions:
        # What an app states comes behind what its node does.
        stated = dict(settings.permissions).items()
        found["Permissions-Policy"] = ", ".join(f"{name}={_allowed(by)}" for name, by in stated)
    if settings.referrer:
        found["Referrer-Policy"] = settings.referrer
    if settings.reports:
        found["Reporting-Endpoints"] = f'{_ENDPOINT}="{settings.reports}"'
    return found


def _ancestors(settings: SiteSettings) -> str:
    if settings.framed_by == ():
        return "'none'"
    return " ".join(("'self'", *(settings.framed_by or ())))


def _reported(settings: SiteSettings) -> str:
    """The policy whose violations are reported: the one that is tried, else that of the pages."""
    trial = settings.report_only or _NO_TRIAL
    tried = settings if trial.hosts is None else replace(settings, hosts=trial.hosts)
    granted = Granted.of(tried, SiteSettings())
    texts = trial.trusted_types or settings.trusted_types == "on"
    return (
        # As pages with a search have it: a report about them would tell nothing.
        f"default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'"
        f"{granted.scripts_from}; "
        f"style-src 'self' 'unsafe-inline'{granted.styles_from}; {granted.others}; {FIXED}"
        f"{head.NO_HTML_FROM_TEXT if texts else ''}"
    )


def _allowed(origins: Iterable[str]) -> str:
    """Who may use a feature, as a list of a structured field (RFC 9651)."""
    listed = " ".join(each if each == "self" else f'"{each}"' for each in origins)
    return f"({listed})"
