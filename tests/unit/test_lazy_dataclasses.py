"""Dataclasses whose methods are compiled late: they do what the standard library's do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import pytest

import robbieblocks
from robbieblocks import lazy_dataclasses

OPTIONS = ("frozen", "slots", "kw_only", "eq", "order")
CASES = [
    dict(zip(OPTIONS, values, strict=True))
    for values in product((False, True), repeat=len(OPTIONS))
    if values[3] or not values[4]  # what can't be equal has no order
]
_EAGER = re.compile(r"\bfrom dataclasses import (?:\([^)]*|[^\n(]*)\bdataclass\b")
MAKERS = (dataclasses.dataclass, lazy_dataclasses.dataclass)


def classes(make: Callable[..., Any], options: dict[str, bool]) -> dict[str, type]:
    """A class with all kinds of fields, one that follows it, and one with methods of its own."""
    lazily = make(**options)

    class Base:
        """It has a docstring."""

        kind: ClassVar[str] = "base"
        name: str
        size: int = 1
        parts: list[str] = dataclasses.field(default_factory=list[str])
        secret: str = dataclasses.field(default="s", repr=False, compare=False)
        seen: int = dataclasses.field(default=7, init=False)

    base = lazily(Base)

    class Derived(base):  # type: ignore[misc, valid-type]  # made by the call above
        size: int = 2
        more: tuple[int, ...] = ()

        def __post_init__(self) -> None:
            object.__setattr__(self, "seen", self.size + 1)

    class Own:
        name: str

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self))

        def __hash__(self) -> int:
            return 5

    return {"Base": base, "Derived": lazily(Derived), "Own": lazily(Own)}


def outcome(act: Callable[[], Any]) -> Any:
    """What came of it: the value, or the error's type and text."""
    try:
        return act()
    except (TypeError, AttributeError) as error:
        return type(error).__name__, str(error)


def assigned(thing: Any, name: str) -> Any:
    setattr(thing, name, "new")
    return getattr(thing, name)


def deleted(thing: Any, name: str) -> bool:
    delattr(thing, name)
    return name in repr(thing)


def behaviour(cls: Any) -> Iterator[Any]:
    """All that can be asked of a class."""
    yield outcome(cls), outcome(lambda: cls("a")), outcome(lambda: cls("a", 3))
    yield outcome(lambda: cls(name="a", nope=1)), outcome(lambda: cls(name="a", secret="t") == 3)
    one, same, other = cls(name="a"), cls(name="a"), cls(name="b")
    yield repr(one), one == same, one == other, one != other
    yield outcome(lambda: one < other), outcome(lambda: one >= other), outcome(lambda: one < 3)
    yield outcome(lambda: hash(one) == hash(same))
    yield cls.__match_args__, cls.__doc__ and cls.__doc__[:3], cls.__qualname__, cls.__module__
    yield [(each.name, each.type, each.kw_only) for each in dataclasses.fields(cls)]
    yield outcome(lambda: dataclasses.replace(one, name="c")), outcome(lambda: copy.copy(one))
    yield outcome(lambda: copy.deepcopy(one)), outcome(lambda: dataclasses.asdict(one))
    yield getattr(one, "seen", None), getattr(one, "parts", 1) is getattr(same, "parts", 2)
    yield outcome(lambda: assigned(same, "name")), outcome(lambda: deleted(same, "name"))
    if hasattr(one, "__dict__"):  # with slots, the standard library names a class that is gone
        yield outcome(lambda: assigned(one, "more_of_it")), outcome(lambda: deleted(one, "nope"))
    yield hasattr(one, "__dict__"), getattr(cls, "__slots__", None), cls.__init__.__qualname__


@pytest.mark.parametrize("options", CASES, ids=str)
def test_they_do_what_the_standard_librarys_do(options: dict[str, bool]) -> None:
    """Whatever a class is made with: values, errors and texts are the same."""
    theirs, ours = (classes(make, options) for make in MAKERS)
    for name, cls in theirs.items():
        assert repr([*behaviour(ours[name])]) == repr([*behaviour(cls)]), name


@lazy_dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0


def test_they_are_pickled() -> None:
    """What is frozen and has slots, too."""
    assert pickle.loads(pickle.dumps(Point(1, 2))) == Point(1, 2)  # noqa: S301 - made here


def test_a_match_statement_takes_them_apart() -> None:
    """By place, as any dataclass."""
    match Point(3, 4):
        case Point(x, y):
            assert (x, y) == (3, 4)


def is_compiled(cls: type, name: str) -> bool:
    """Whether a method was made of a text, as the standard library does."""
    return bool(vars(cls)[name].__code__.co_filename == "<string>")


def test_a_class_that_nobody_uses_compiles_nothing() -> None:
    """The first call of any method compiles them all; from then on none is in between."""

    @lazy_dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
    class Unused:
        x: int

    methods = ("__init__", "__repr__", "__eq__", "__hash__")
    assert not any(is_compiled(Unused, name) for name in methods)
    Unused(x=1)
    # The one for `repr` is wrapped, so that an object that holds itself ends.
    assert all(is_compiled(Unused, name) for name in ("__init__", "__eq__", "__hash__"))
    assert vars(Unused)["__repr__"].__wrapped__.__code__.co_filename == "<string>"


def test_no_class_of_the_package_is_compiled_while_it_is_imported() -> None:
    """Each module takes its decorator from here: hundreds of classes are a third of what a command
    waits for, otherwise."""
    package = Path(robbieblocks.__file__).parent
    eager = [
        str(path)
        for path in sorted(package.rglob("*.py"))
        if path.stem != "lazy_dataclasses" and _EAGER.search(path.read_text("utf-8"))
    ]
    assert not eager
