"""Settings that become headers: read strictly, made into values, and read again from a release."""

from __future__ import annotations

from typing import Any

import pytest

from robbieblocks.media_names import path_problem
from robbieblocks.model import (
    HEADER_LINE_MAX,
    HEADERS_FILE,
    NO_SETTINGS,
    PolicyTrial,
    SiteSettings,
    header_fits,
    header_lines,
    headers_text,
    read_headers_text,
)
from robbieblocks.prerender import sent_headers
from robbieblocks.site_settings import read_settings

EVERY: dict[str, Any] = {
    "framed_by": ["https://portal.example", "https://*.partner.example:8443"],
    "reports": "https://reports.example/csp?site=a",
    "report_only": {"hosts": {"https://cdn.example": ["images", "scripts"]}, "trusted_types": True},
    "referrer": "no-referrer",
    "permissions": {"geolocation": ["self", "https://maps.example"], "camera": []},
}
HOSTILE = (
    "https://a.example\r\nX-Evil: 1",
    "https://a.example\nX: 1",
    "https://a.example; script-src *",
    "https://a.example, https://b.example",
    'https://a.example"',
    "https://a.example'",
    "https://a.example$uri",
    "https://a.example{env.HOME}",
    "https://a.example\\",
    "https://m\u00fcnchen.example",
    "https://a.example/" + "a" * 8_000,
    "http://a.example/x",
    "javascript:alert(1)",
    "data:text/html,x",
    "'unsafe-inline'",
    "*",
    "\0",
    "",
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("key", ["framed_by", "reports", "referrer", "permissions", "report_only"])
def test_no_hostile_text_becomes_a_header(key: str, text: str) -> None:
    """It is one error that names the field, and the setting is as if nobody had stated it."""
    values: dict[str, Any] = {
        "framed_by": [text],
        "permissions": {"camera": [text]},
        "report_only": {"hosts": {text: ["images"]}},
    }
    settings, (problem,) = read_settings({key: values.get(key, text)})
    assert settings == NO_SETTINGS
    assert problem.pointer.startswith(f"/{key}")
    assert problem.remedy
    assert sent_headers(settings, NO_SETTINGS) == {}


@pytest.mark.parametrize(
    ("settings", "pointer", "remedy"),
    [
        ({"framed_by": "https://a.example"}, "/framed_by", "brackets"),
        ({"framed_by": ["wss://a.example"]}, "/framed_by/0", "https://portal.example"),
        ({"framed_by": ["https://a.example/path"]}, "/framed_by/0", "host and port alone"),
        ({"framed_by": ["https://a.example"] * 21}, "/framed_by", "at most 20"),
        ({"permissions": {"camra": []}}, "/permissions/camra", "did you mean camera?"),
        ({"permissions": {"camera": ["https:"]}}, "/permissions/camera/0", "portal"),
        ({"permissions": {"camera": "self"}}, "/permissions/camera", "brackets"),
        ({"reports": "https://a.example"}, "/reports", "an https URL"),
        ({"reports": "//a.example/x"}, "/reports", "an https URL"),
        ({"reports": 5}, "/reports", "quotes"),
        ({"report_only": True}, "/report_only", "it has: hosts, trusted_types"),
        ({"report_only": {"trusted_types": "on"}}, "/report_only/trusted_types", "true or false"),
        ({"referrer": "unsafe-url"}, "/referrer", "no-referrer,"),
    ],
)
def test_a_mistake_has_its_place_and_a_remedy(settings: Any, pointer: str, remedy: str) -> None:
    """What is of another form is an error at its own pointer."""
    read, (problem,) = read_settings(settings)
    assert (read, problem.pointer) == (NO_SETTINGS, pointer)
    assert remedy in problem.remedy


def test_each_setting_is_a_part_of_a_header() -> None:
    """Reports are asked for in both policies; what is tried takes the place of the pages' hosts."""
    settings, problems = read_settings({"hosts": {"https://a.example": ["images"]}, **EVERY})
    assert not problems
    to = "report-uri https://reports.example/csp?site=a; report-to site"
    assert sent_headers(settings, NO_SETTINGS) == {
        "Content-Security-Policy": (
            "frame-ancestors 'self' https://portal.example https://*.partner.example:8443; " + to
        ),
        "Content-Security-Policy-Report-Only": (
            "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' "
            "https://cdn.example; "
            "style-src 'self' 'unsafe-inline'; img-src 'self' https://cdn.example data: blob:; "
            "media-src 'self' https: data: blob:; font-src 'self'; "
            "connect-src 'self' https: wss:; frame-src 'self' https:; "
            "worker-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; "
            "require-trusted-types-for 'script'; " + to
        ),
        "Permissions-Policy": 'camera=(), geolocation=(self "https://maps.example")',
        "Referrer-Policy": "no-referrer",
        "Reporting-Endpoints": 'site="https://reports.example/csp?site=a"',
    }


def test_without_these_settings_no_header_is_another_one() -> None:
    """Nobody in a frame is not the same as nobody named."""
    settings = SiteSettings(trusted_types="on", social_card=True)
    assert sent_headers(settings, settings) == {}
    assert sent_headers(SiteSettings(framed_by=()), NO_SETTINGS) == {
        "Content-Security-Policy": "frame-ancestors 'none'"
    }


def test_an_app_states_its_headers_instead_of_its_node() -> None:
    """All but permissions, of which each feature is the app's where it names it."""
    node = SiteSettings(
        framed_by=("https://a.example",),
        referrer="origin",
        permissions=(("camera", ()), ("usb", ())),
        report_only=PolicyTrial(trusted_types=True),
    )
    app = SiteSettings(framed_by=(), permissions=(("camera", ("self",)),))
    found = sent_headers(node, app)
    assert found["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert found["Permissions-Policy"] == "camera=(self), usb=()"
    assert found["Referrer-Policy"] == "origin"
    assert "require-trusted-types-for" in found["Content-Security-Policy-Report-Only"]


def test_no_page_is_made_of_what_is_in_headers_alone() -> None:
    """So an edit of them writes one file, however many pages there are."""
    settings, _problems = read_settings(EVERY)
    assert settings.text == ""


def test_a_release_says_what_was_asked_for() -> None:
    """What is no such header, or might be one's variable, is left out, whoever wrote it there."""
    settings, _problems = read_settings(EVERY)
    headers = sent_headers(settings, NO_SETTINGS)
    assert read_headers_text(headers_text(headers)) == headers
    for value in ("$uri", "{env.HOME}", "a\r\nX: 1", "\u00e9", "", 5, "a" * 3_501, "\\", "`"):
        stated: Any = {"Referrer-Policy": value, "Set-Cookie": "a=b"}
        assert read_headers_text(headers_text(stated)) == {}
    for content in (b"", b"[]", b"nope", b"\xff", b"[" * 100_000):
        assert read_headers_text(content) == {}


@pytest.mark.parametrize("name", [HEADERS_FILE, "redirects.json", "manifest.json"])
def test_no_file_of_media_takes_the_place_of_what_a_release_says(name: str) -> None:
    """Else an editor's upload would decide headers and redirects."""
    assert path_problem(f"/{name}") == "is taken by what RobbieBlocks makes"


def test_a_list_has_several_lines_and_a_policy_one() -> None:
    """A line is as long as nginx takes it; of two policies browsers would keep both."""
    features = [f"f{n}=(self)" for n in range(400)]
    value = ", ".join(features)
    lines = header_lines("Permissions-Policy", value)
    assert len(lines) == 2
    assert ", ".join(lines) == value
    assert max(map(len, lines)) <= HEADER_LINE_MAX
    assert header_fits("Permissions-Policy", value)
    assert read_headers_text(headers_text({"Permissions-Policy": value})) == {
        "Permissions-Policy": value
    }
    assert not header_fits("Permissions-Policy", ", ".join(features * 2))
    assert not header_fits("Permissions-Policy", f"f=({'a' * HEADER_LINE_MAX})")
    assert header_lines("Content-Security-Policy", value) == [value]
    assert not header_fits("Content-Security-Policy", value)
    assert read_headers_text(headers_text({"Content-Security-Policy": value})) == {}
