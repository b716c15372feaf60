"""Languages of an app, and the pages that say the same in several of them."""

from __future__ import annotations

from typing import Final, NamedTuple


class Translation(NamedTuple):
    """A page of a group that says the same in several languages.

    `lang` is its language as a BCP 47 tag. `listed` says whether search engines may list it,
    `default` whether it is the one for visitors whose language the group has not got.
    """

    lang: str
    key: str
    route: str
    title: str
    listed: bool = True
    default: bool = False


class Languages(NamedTuple):
    """What an app says of its languages, as BCP 47 tags.

    `default` is that of pages that state none. `offered` are those in which visitors may look for a
    page; one that has no translation in such a language leads to the one in `fallback`, if there is
    one.
    """

    default: str = "en"
    offered: tuple[str, ...] = ()
    fallback: str = ""


DEFAULT_LANGUAGES: Final = Languages()
