"""Dataclasses whose methods are compiled when one of them is first called.

The standard library compiles every method of a dataclass when the class is made. For the hundreds
of classes that a command imports this takes a quarter of its start, and it uses a few of them.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass

__all__ = ["dataclass"]

_T = TypeVar("_T")
_POST_INIT: Final = "__post_init__"
_ORDERING: Final = ("__lt__", "__le__", "__gt__", "__ge__")


class _Options(NamedTuple):
    """What decides the methods of a class. `wanted` are the names of those that it lacks."""

    frozen: bool
    slots: bool
    order: bool
    wanted: tuple[str, ...]


def _lazy_dataclass(
    *,
    frozen: bool = False,
    slots: bool = False,
    kw_only: bool = False,
    eq: bool = True,
    order: bool = False,
) -> Callable[[type[_T]], type[_T]]:
    """As `dataclasses.dataclass` with the same options, which are all that it takes."""

    def made(cls: type[_T]) -> type[_T]:
        own = vars(cls)
        hashes = own.get("__hash__") is not None
        options = _Options(
            frozen=frozen,
            slots=slots,
            order=order,
            wanted=(
                *(name for name in ("__init__", "__repr__") if name not in own),
                *(["__eq__"] if eq and "__eq__" not in own else []),
                *(["__hash__"] if eq and frozen and not hashes else []),
                *(_ORDERING if order else ()),
            ),
        )
        if not own.get("__doc__"):
            # The standard library would write the signature, which takes as long as all the rest.
            cls.__doc__ = cls.__name__
        cls = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(
            cls
        )
        if eq and not frozen and not hashes:
            cls.__hash__ = None  # type: ignore[assignment]  # as Python says that nothing hashes
        for name in options.wanted:
            setattr(cls, name, _compiling(cls, name, options))
        if frozen:
            _freeze(cls, has_state=slots)
        return cls

    return made


if not TYPE_CHECKING:
    # Type checkers know what the standard library's does.
    dataclass = _lazy_dataclass


def _compiling(cls: type, name: str, options: _Options) -> Callable[..., Any]:
    """A method that puts the compiled ones in the place of itself and its like."""

    def method(self: object, /, *args: Any, **named: Any) -> Any:
        return _compiled(cls, options)[name](self, *args, **named)

    return method


def _compiled(cls: type, options: _Options) -> dict[str, Callable[..., Any]]:
    """The methods by name, now also those of the class. Two threads may do it at once."""
    fields = dataclasses.fields(cls)
    # Without bases: the methods name fields alone, and those of the bases are among them.
    whole = dataclasses.make_dataclass(
        cls.__qualname__.rpartition(".")[2],
        [(field.name, field.type, copy.copy(field)) for field in fields],
        namespace={_POST_INIT: None} if hasattr(cls, _POST_INIT) else {},
        frozen=options.frozen,
        slots=options.slots,
        order=options.order,
    )
    methods = {name: vars(whole)[name] for name in options.wanted}
    for name, method in methods.items():
        method.__qualname__ = f"{cls.__qualname__}.{name}"
        setattr(cls, name, method)
    return methods


def _freeze(cls: type, *, has_state: bool) -> None:
    """Have an assignment to a field fail, as that to any name of an object of this very class."""
    names = frozenset(field.name for field in dataclasses.fields(cls))

    def set_attribute(self: object, name: str, value: object) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def delete_attribute(self: object, name: str) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        object.__delattr__(self, name)

    methods: dict[str, Callable[..., Any]] = {
        "__setattr__": set_attribute,
        "__delattr__": delete_attribute,
    }
    if has_state:
        # For `copy` and `pickle`: what restores slots otherwise assigns to them.
        methods |= {"__getstate__": _state, "__setstate__": _restore}
    for name, method in methods.items():
        setattr(cls, name, method)


def _state(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _restore(self: Any, state: Iterable[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
