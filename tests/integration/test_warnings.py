"""What a component is warned of reaches whoever builds, and holds nothing back."""

from __future__ import annotations

import pytest

from tests.sites import MakeSite, Site

pytestmark = pytest.mark.postgres

FADING = """export default () => <p style={{ animation: "fade 1s" }}>x</p>;"""
CARD = """export default () => <a href="/">
  <b>x</b> <button>y</button></a>;"""
FADE = "@keyframes fade { from { opacity: 0 } }"


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    made = make_site()
    made.component("vain", "<p className='p-4 bg-robbie-cyan'>x</p>")
    made.component("fading", FADING, css=FADE)
    made.component("user", "import Vain from '@robbieblocks/vain'; export default () => <Vain/>;")
    made.component("card", CARD)
    made.component("calm", "<p>calm</p>")
    made.page("uses", "user", "fading", "card")
    made.page("calm", "calm")
    made.build()
    return made


def test_warnings_of_components_are_in_the_report(site: Site) -> None:
    """A build tells what the components of its new pages, and what they import, are warned of."""
    assert site.report is not None
    assert site.report.exit_code == 0
    found = {(each.key, each.severity): each.what for each in site.report.problems}
    assert found.keys() == {("vain", "warning"), ("fading", "warning"), ("card", "warning")}
    assert "bg-robbie-cyan" in found["vain", "warning"]
    assert "fade" in found["fading", "warning"]
    assert "<button> stands in <a>" in found["card", "warning"]
    assert [each.line for each in site.report.problems if each.key == "card"] == [2]


def test_an_edit_elsewhere_is_told_nothing(site: Site) -> None:
    """A build that makes none of these pages says nothing of their components."""
    site.sql("UPDATE robbieblocks_pages SET meta_title = 'Calm' WHERE page_key = 'calm'")
    report = site.build()
    changed = [page.key for run in report.runs for page in run.pages if page.change == "changed"]
    assert changed == ["calm"]
    assert report.problems == ()
