"""What the receiver of forms says, by language."""

from __future__ import annotations

import pytest

from robbieblocks.assemble import FormField, checked_answers
from robbieblocks.forms.words import ENGLISH, accepted, words_of


@pytest.mark.parametrize(
    ("languages", "lang"),
    [
        (("de",), "de"),
        (("DE-at",), "de"),
        (("sw", "fr"), "fr"),
        (("",), "en"),
        (("zh-Hans",), "en"),
        (accepted("nl, es-MX;q=0.8, en;q=0.5"), "es"),
        (accepted("*"), "en"),
        (accepted(",;;" * 9000 + "de"), "en"),
    ],
)
def test_the_first_known_language_is_spoken(languages: tuple[str, ...], lang: str) -> None:
    """Else English; the document says which one it is."""
    assert words_of(*languages).lang == lang


@pytest.mark.parametrize("lang", ["de", "fr", "es"])
def test_a_language_has_words_of_its_own_for_everything(lang: str) -> None:
    """None is left in English, and what stands in a text is filled in."""
    words = words_of(lang)
    assert not set(words).intersection(ENGLISH)
    assert not (set(words.answers) - {".", ","}).intersection(ENGLISH.answers)
    long = checked_answers([FormField(name="a", label="A")], {"a": "a" * 2000}, words.answers)
    assert "000 " in long.wrong["a"]
    assert "," not in long.wrong["a"]
