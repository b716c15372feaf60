"""Where a control stands in another one."""

from __future__ import annotations

import pytest

from robbieblocks.prerender.isolate.controls import nested_controls_in
from robbieblocks.prerender.isolate.html_check import parsed

NESTED = [
    ('<a href="/"><span><button>1</button></span></a>', "a button"),
    ('<button><a href="/">1</a></button>', "button a"),
    ("<label>a<label>b</label></label>", "label label"),
    ("<button><label>x</label></button>", "button label"),
    ('<a href="/"><span tabindex="0"></span></a>', "a span"),
    ('<a href="/"><details><summary>x</summary></details></a>', "a details"),
    ('<p>x</p><a href="/"><video controls></video></a>', "a video"),
    ('<a href="/"><select><option>x</option></select></a>', "a select"),
    ("<button><input></button>", "button input"),
]
APART = [
    '<a href="/"><img src="y"></a><button>x</button>',
    '<a href="/"><input type="HIDDEN"><video></video></a>',
    "<button><a>no link</a></button>",
    "<label>x<input></label><label><button>x</button></label>",
    '<details><summary><a href="/">x</a></summary></details>',
    '<a href="/"><span tabindex="-1">x</span></a>',
    "",
]


@pytest.mark.parametrize(("html", "names"), NESTED)
def test_nested(html: str, names: str) -> None:
    """Both elements are named, the outer one first."""
    assert nested_controls_in(parsed(html)) == names


@pytest.mark.parametrize("html", APART)
def test_apart(html: str) -> None:
    """What is no control, or stands in none, is not named."""
    assert nested_controls_in(parsed(html)) == ""
