"""What a module runs at once is compiled at once."""

from __future__ import annotations

import pytest

from robbieblocks.bundle.run_at_load import compiled_at_once


@pytest.mark.parametrize(
    ("code", "made"),
    [
        ("var a=w(()=>{b});", "var a=w((()=>{b}));"),
        ("var a=w((x,y)=>{b}),c=w(z=>{d});e()", "var a=w(((x,y)=>{b})),c=w((z=>{d}));e()"),
        ("let é=w(function(){'ü'});é", "let é=w((function(){'ü'}));é"),
        ("var a=w((()=>{b}));", "var a=w((()=>{b}));"),
        ("var a=w(()=>{},1),b=()=>{},c=w(b),d;", "var a=w(()=>{},1),b=()=>{},c=w(b),d;"),
        ("f(()=>{});function g(){var a=w(()=>{b})}", "f(()=>{});function g(){var a=w(()=>{b})}"),
        ("var a=w(()=>{b});var ;(", "var a=w(()=>{b});var ;("),
        ("", ""),
    ],
)
def test_functions_that_a_module_wraps_stand_in_parentheses(code: str, made: str) -> None:
    """Only a function that is all that a variable's call is given; the rest is as it was."""
    assert compiled_at_once(code.encode()).decode() == made
