"""Which components are written with utility classes, and which classes they name in vain."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from robbieblocks.bundle.tailwind.classes import KnownClasses
from robbieblocks.bundle.tailwind.variables import text_warning
from robbieblocks.css_text import property_name
from robbieblocks.errors import Problem
from robbieblocks.messages import listed, nearest, printable
from robbieblocks.model import ComponentRow, Importing, TokenRow, reachable

_CSS_CLASS: Final = re.compile(r"\.(-?[A-Za-z_][\w-]*)", re.ASCII)
_MAX_LISTED: Final = 12
# Classes of plugins of Tailwind's that the toolchain has not.
_PLUGINS: Final = {
    "prose": "plain CSS in a component gives text its margins, as the component markdown does",
    "animate-in": "set an animation in css_styles",
    "animate-out": "set an animation in css_styles",
}
_OF_OTHERS: Final = "write utilities, or the styles into css_styles under this name"
# Classes of frameworks that come with a stylesheet.
_FRAMEWORKS: Final = {
    "btn": "Bootstrap's or daisyUI's",
    **dict.fromkeys(("btn-primary", "btn-secondary", "card-body"), "Bootstrap's or daisyUI's"),
    **dict.fromkeys(("container-fluid", "form-control", "navbar-nav", "d-flex"), "Bootstrap's"),
    **dict.fromkeys(("justify-content-center", "align-items-center"), "Bootstrap's"),
    **dict.fromkeys(("col-md-4", "col-md-6", "col-lg-4", "navbar-brand"), "Bootstrap's"),
    **dict.fromkeys(("is-primary", "is-half", "hero-body"), "Bulma's"),
}
# The beginnings of tokens, as custom properties, and the utilities that take what follows.
_TAKING: Final = {
    "color-": (
        *("bg", "text", "border", "border-t", "border-r", "border-b", "border-l", "from", "via"),
        *("to", "ring", "ring-offset", "fill", "stroke", "outline", "accent", "caret", "divide"),
        *("decoration", "placeholder", "shadow"),
    ),
    "spacing-": (
        *("p", "px", "py", "pt", "pr", "pb", "pl", "ps", "pe", "m", "mx", "my", "mt", "mr", "mb"),
        *("ml", "ms", "me", "gap", "gap-x", "gap-y", "space-x", "space-y"),
    ),
    "radius-": ("rounded", "rounded-t", "rounded-r", "rounded-b", "rounded-l"),
    "shadow-": ("shadow",),
    "font-size-": ("text",),
    "font-": ("font",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedClasses:
    """The classes that a component's text names as such, and those that its own CSS has."""

    named: frozenset[str]
    styled: frozenset[str]


NO_CLASSES: Final = NamedClasses(named=frozenset(), styled=frozenset())


@lru_cache(maxsize=4)
def classes_of_css(css: str) -> frozenset[str]:
    """The names of classes in a stylesheet; a few that are none may be among them (`.png`)."""
    return frozenset(_CSS_CLASS.findall(css))


def with_utilities(components: Mapping[str, NamedClasses], known: KnownClasses) -> frozenset[str]:
    """The keys of the components that name a utility class which their own CSS does not define."""
    return frozenset(
        key
        for key, classes in components.items()
        if not known.rules.keys().isdisjoint(classes.named - classes.styled)
    )


class Styled(Importing, Protocol):
    """A component that may import others, and the classes that it names and styles."""

    @property
    def classes(self) -> NamedClasses:
        """Its own classes."""
        ...


def names_utilities(
    components: Mapping[str, Styled],
    learn: Callable[[frozenset[str]], KnownClasses],
    key: str,
    words: frozenset[str],
) -> bool:
    """Whether one of the words in a component's HTML is a utility class, by the component's key.

    A class that its own CSS defines, or that of a component which it imports, is none.
    """
    reached = reachable([key], components)
    left = words.difference(*(components[each].classes.styled for each in reached))
    return bool(left) and not learn(left).rules.keys().isdisjoint(left)


def unknown_utilities(
    components: Mapping[str, NamedClasses],
    rows: Mapping[str, ComponentRow],
    known: KnownClasses,
    tokens: Sequence[TokenRow],
    base_css: str,
) -> Iterator[Problem]:
    """Warnings of utilities that no token gives, one a component, and of classes of plugins.

    Names that any stylesheet of the bundle has are the author's own.
    """
    own = classes_of_css(base_css).union(*(each.styled for each in components.values()))
    options: Mapping[str, Collection[str]] | None = None
    for key in sorted(components):
        absent = [
            word
            for word in sorted(components[key].named - own)
            if word not in known.rules and _takes_token(_base(word))
        ]
        if absent:
            options = options or _options(tokens)
            yield _problem(rows[key], absent, options)
        yield from _plugin_warnings(rows[key], components[key].named - own)
        yield from _framework_warnings(rows[key], components[key].named - own)
        yield from _function_warnings(rows[key], components[key].named - known.rules.keys())


def _base(word: str) -> str:
    """A class without variants, sign, importance and modifier."""
    return re.split(r":(?![^\[]*\])", word)[-1].strip("!").removeprefix("-").partition("/")[0]


def _takes_token(base: str) -> bool:
    root, _, rest = _split(base)
    return bool(root) and re.fullmatch(r"[a-z][a-z0-9-]*", rest) is not None


def _split(base: str) -> tuple[str, str, str]:
    """The utility, the first beginning of tokens that it takes, and what names the token."""
    best = ("", "", "")
    for start, roots in _TAKING.items():
        for root in roots:
            if base.startswith(f"{root}-") and len(root) > len(best[0]):
                best = (root, start, base.removeprefix(f"{root}-"))
    return best


def _options(tokens: Sequence[TokenRow]) -> Mapping[str, Collection[str]]:
    """What may follow each utility, by its name."""
    names = [property_name(token.key).removeprefix("--") for token in tokens]
    found = defaultdict[str, set[str]](set)
    for start, roots in _TAKING.items():
        for root in roots:
            found[root].update(name.removeprefix(start) for name in names if name.startswith(start))
    return found


def _problem(
    row: ComponentRow, absent: Sequence[str], options: Mapping[str, Collection[str]]
) -> Problem:
    root, start, rest = _split(_base(absent[0]))
    near = nearest(rest, options.get(root, ()), most=1)
    token = f"{start.removesuffix('-').replace('-', '.', 1)}.{rest}"
    if start == "font-size-":
        token = f"font.size-{rest}"
    remedy = (
        f"did you mean {root}-{near[0]}? Or add the token {token}"
        if near
        else (
            f"add the token {token}, or name one that there is: "
            + listed([f"{root}-{each}" for each in sorted(options.get(root, ()))], 4)
            if options.get(root)
            else f"add the token {token}"
        )
    )
    names = listed([printable(word) for word in absent], _MAX_LISTED)
    what = f"no token gives the {'class' if len(absent) == 1 else 'classes'} {names}"
    return text_warning(row, "react_code", _first(row, absent[0]), what, remedy)


def _plugin_warnings(row: ComponentRow, named: Iterable[str]) -> Iterator[Problem]:
    bases = {_base(word) for word in named} & _PLUGINS.keys()
    for name in sorted(bases):
        what = f"the class {name} is a plugin's that is not there: it does nothing"
        yield text_warning(row, "react_code", _first(row, name), what, _PLUGINS[name])


def _framework_warnings(row: ComponentRow, named: Iterable[str]) -> Iterator[Problem]:
    """The first of several classes that a framework's stylesheet would have."""
    found = sorted(_FRAMEWORKS.keys() & named)
    for name in found[:1] if len(found) > 1 else ():
        what = f"the class {name} is {_FRAMEWORKS[name]}, whose stylesheet no page has by itself"
        yield text_warning(row, "react_code", _first(row, name), what, _OF_OTHERS)


def _function_warnings(row: ComponentRow, none: Iterable[str]) -> Iterator[Problem]:
    """Of words that are no classes, one that asks for a theme as Tailwind 3 did."""
    for word in sorted(word for word in none if "[" in word and "theme(" in word)[:1]:
        what = f"the class {printable(word)} does nothing: theme() is another tool's"
        remedy = "write the token's custom property, such as var(--spacing-lg), or --spacing(4)"
        yield text_warning(row, "react_code", _first(row, word), what, remedy)


def _first(row: ComponentRow, word: str) -> int | None:
    """Where the code has a class first."""
    found = re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", row.code)
    return None if found is None else found.start()
