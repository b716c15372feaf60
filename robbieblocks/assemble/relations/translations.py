"""Groups of pages that say the same in other languages, one page a language.

A page whose `metadata.translation_of` is the key of another page of its app is in the group of that
one, the original. Of pages of rows, a template may name another template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, NamedTuple, Self

from robbieblocks.assemble.page_settings import language_of
from robbieblocks.assemble.relations.language_names import own_name
from robbieblocks.assemble.relations.page_data import title_of
from robbieblocks.assemble.values import ValueProblem
from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.model import Json, JsonObject, Languages, PageRow, Translation, doubled, made_key
from robbieblocks.names import may_be_listed

# Each page of a group names all others.
MAX_LANGUAGES: Final = 100
_TAG: Final = attrgetter("lang")


class Group(NamedTuple):
    """The pages of one page's group that visitors can see, by language, itself among them; and what
    is wrong with its `translation_of`.

    A page alone is in none: `pages` is empty.
    """

    pages: tuple[Translation, ...] = ()
    faults: tuple[Problem, ...] = ()


_ALONE: Final = Group()


def original_setting(row: PageRow) -> Json:
    """What a page's metadata says under `translation_of`; null where it says nothing."""
    if row.relates is False or not isinstance(row.metadata, dict):
        return None
    return row.metadata.get("translation_of") or None


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of an app, by the key of each page that is in one, or wants to be."""

    by_page: Mapping[str, Group] = field(default_factory=dict[str, Group])

    @classmethod
    def of(
        cls, rows: Sequence[PageRow], is_shown: Callable[[PageRow], bool], languages: Languages
    ) -> Self:
        """The groups of these rows, which are sorted by key; visitors see those for which
        `is_shown` is true.

        Of two pages of one language the original is the group's, else the first by its key.
        """
        templates = frozenset(row.made.template.key for row in rows if row.made is not None)
        stated = {
            row.key: _original_of(row, key, templates)
            for row in rows
            if isinstance(key := original_setting(row), str) and not row.not_found
        }
        if not stated:
            return cls()
        by_key = {row.key: row for row in rows if not row.not_found}
        members: dict[str, dict[str, PageRow]] = {}
        found: dict[str, Group] = {}
        for key, named in stated.items():
            row = by_key[key]
            wrong = _wrong_original(key, named, stated, by_key)
            if wrong is None:
                original = by_key[named]
                there = members.setdefault(named, {_language(original, languages): original})
                other = there.setdefault(_language(row, languages), row)
                if other is not row:
                    wrong = _second(_said_language(row, languages), other)
                elif len(there) > MAX_LANGUAGES:
                    del there[_language(row, languages)]
                    what = f"{printable(named)} has more than {MAX_LANGUAGES} translations"
                    wrong = ValueProblem("/translation_of", what, "take some away")
            if wrong is not None:
                found[key] = Group(faults=(wrong.in_row("page", printable(key), "metadata"),))
        for named, there in members.items():
            group = _group(named, there, is_shown, languages)
            found |= {row.key: group for row in there.values() if row.key not in found}
        return cls(found)

    def around(self, key: str) -> Group:
        """The group of a page."""
        return self.by_page.get(key, _ALONE)


def translations_data(
    page: Translation, group: Sequence[Translation], says: Languages
) -> Sequence[tuple[str, JsonObject]]:
    """The translations of a page as its blocks get them, each with the key of the page that it is
    from, itself among them: those that are offered first, in that order, then by tag.

    Where a language that is offered has none, its entry leads to the page in the fallback language,
    which `fallback` names; there is no such entry on that page itself.
    """
    there = {each.lang.lower(): each for each in (group or (page,))}
    instead = there.get(says.fallback.lower())
    offered = {tag.lower(): tag for tag in says.offered}
    entries: list[tuple[str, JsonObject]] = []
    for low in [*offered, *(low for low in there if low not in offered)]:
        leads_to = there.get(low, instead)
        if leads_to is None or (low not in there and leads_to.key == page.key):
            continue
        tag = leads_to.lang if low in there else offered[low]
        entry: JsonObject = {
            "lang": tag,
            "name": own_name(tag),
            "route": leads_to.route,
            "title": doubled(leads_to.title),
            "current": leads_to.key == page.key,
            "fallback": None if low in there else leads_to.lang,
        }
        entries.append((leads_to.key, entry))
    return entries


def as_translation(row: PageRow, languages: Languages) -> Translation:
    """What other pages of its group show of a page."""
    robots = row.metadata.get("robots") if isinstance(row.metadata, dict) else None
    return Translation(
        lang=_said_language(row, languages),
        key=row.key,
        route=row.route,
        title=title_of(row),
        listed=may_be_listed(robots),
    )


def _group(
    original: str,
    there: Mapping[str, PageRow],
    is_shown: Callable[[PageRow], bool],
    languages: Languages,
) -> Group:
    pages = {low: as_translation(row, languages) for low, row in there.items() if is_shown(row)}
    if len(pages) < 2:
        return _ALONE
    by_default = pages.get(languages.default.lower())
    chosen = by_default.key if by_default else original
    return Group(
        tuple(
            sorted([each._replace(default=each.key == chosen) for each in pages.values()], key=_TAG)
        )
    )


def _original_of(row: PageRow, named: str, templates: frozenset[str]) -> str:
    """The key of a page's original. Where a page of a row names another template, the original is
    the page that is made of that with the row's key.
    """
    if row.made is None or named not in templates:
        return named
    return made_key(named, row.made.row.key)


def _wrong_original(
    key: str, named: str, stated: Mapping[str, str], by_key: Mapping[str, PageRow]
) -> ValueProblem | None:
    at = "/translation_of"
    if named == key:
        return ValueProblem(at, "the page is a translation of itself", "name another page")
    if named not in by_key:
        what = f"no published page of the app has the key {printable(named)}"
        return ValueProblem(at, what, "name one, or publish that page first")
    if named in stated:
        what = f"the page {printable(named)} is a translation itself"
        return ValueProblem(at, what, f"name its original, {printable(stated[named])}")
    return None


def _second(language: str, other: PageRow) -> ValueProblem:
    what = f"the page {printable(other.key)} of its group is in {printable(language)}, too"
    return ValueProblem("/translation_of", what, "set lang to another language, or take one away")


def _said_language(row: PageRow, languages: Languages) -> str:
    return language_of(row.metadata, languages.default)


def _language(row: PageRow, languages: Languages) -> str:
    """A page's language as its group compares it: tags are the same in capitals (BCP 47)."""
    return _said_language(row, languages).lower()
