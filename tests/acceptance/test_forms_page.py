"""A form in a real browser, with scripts and without; the receiver is behind the site."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from robbieblocks import worker
from robbieblocks.forms.receiving import Receiver
from robbieblocks.forms.rows import Rows
from robbieblocks.settings import RECEIVER_PATH, Forms, FormSettings
from tests.sites import NODE, Block, MakeSite, Site, alive, on_port, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.chromium import Noise

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

_CODE = """
import Form from "@robbieblocks/form";
export default function Contact({ form, fields }) {
  return <Form form={form} fields={fields} thanks="Thanks a lot." />;
}
"""
_FIELDS = [
    {"name": "name", "label": "Name", "required": True},
    {"name": "mail", "type": "email", "label": "Mail"},
    {"name": "about", "type": "radio", "label": "About", "options": ["Question", "Order"]},
]


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """A page with a form."""
    site = make_site()
    forms = Forms(by_name={"contact": FormSettings(name="contact")})
    site.builder.settings = replace(site.builder.settings, forms=forms)
    site.builder.context.settings = site.builder.settings
    schema = {"form": {"type": "string", "format": "form"}, "fields": {"type": "array"}}
    site.component("contact", _CODE, schema=schema)
    site.page("home", Block(component="contact", props={"form": "contact", "fields": _FIELDS}))
    site.build()
    assert site.problems(warnings=True) == []
    return site


@contextmanager
def _received(site: Site) -> Iterator[str]:
    """The site's address, behind which forms are received."""
    settings = site.builder.settings
    with closing(Rows(settings)) as rows:
        receiver = Receiver(settings, NODE, rows, worker.open_log("json"), lambda: None)
        with (
            on_port(receiver.app()) as address,
            served(settings.site_root, NODE, {RECEIVER_PATH: address}) as url,
        ):
            yield url


def test_with_scripts_the_page_stays_open(site: Site, page: Page, noise: Noise) -> None:
    """Mistakes are listed, lead to their fields and have the focus; then it is sent, and thanks."""
    with _received(site) as url:
        page.clock.install()
        page.goto(f"{url}/home/")
        alive(page)
        page.clock.run_for(5_000)
        page.get_by_role("button", name="Send").click()
        summary = page.get_by_role("alert")
        summary.get_by_role("link").click()
        name = page.get_by_label("Name")
        assert page.evaluate("document.activeElement.name") == "name"
        assert name.get_attribute("aria-invalid") == "true"
        assert name.get_attribute("aria-describedby") == "form-contact-name-error"
        # What a browser lets through, and the receiver does not.
        name.fill(" ")
        page.get_by_role("button", name="Send").click()
        page.get_by_text("Name: Fill in this field.").wait_for()
        noise.clear()
        name.fill("Ada")
        page.get_by_label("Order").check()
        page.get_by_role("button", name="Send").click()
        page.get_by_text("Thanks a lot.").wait_for()
        assert page.url.startswith(f"{url}/home/")
    stored = site.builder.sql(
        "SELECT fields, state FROM form_submissions WHERE fields->>'name' = 'Ada'"
    )
    assert stored == [
        {"fields": {"name": "Ada", "mail": "", "about": "Order"}, "state": "received"}
    ]


def test_without_scripts_it_is_sent_all_the_same(site: Site, browser: Browser) -> None:
    """A mistake brings the form again with what was sent; then a page thanks. Nothing says that
    scripts are needed."""
    context = browser.new_context(java_script_enabled=False)
    with closing(context), _received(site) as url:
        page = context.new_page()
        page.goto(f"{url}/home/")
        assert page.get_by_text("JavaScript").count() == 0
        page.get_by_label("Name").fill(" ")
        page.get_by_label("Mail").fill("bob@example.org")
        page.get_by_role("button", name="Send").click()
        page.get_by_role("link", name="Name: Fill in this field.").wait_for()
        assert page.get_by_label("Mail").input_value() == "bob@example.org"
        page.get_by_label("Name").fill("Bob")
        page.get_by_role("button", name="Send").click()
        page.get_by_text("It has arrived.").wait_for()
        assert page.url == f"{url}/_forms/contact/thanks?lang=en"
    stored = site.builder.sql("SELECT state FROM form_submissions WHERE fields->>'name' = 'Bob'")
    assert stored == [{"state": "received"}]
