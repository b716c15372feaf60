"""Has typer read the options of the one command that is asked for.

Typer reads the signature of each command of a program before it runs one, which takes a third of
the time that a short command takes.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence

import typer
from typer.main import get_command_name
from typer.models import CommandInfo, TyperInfo


def only(words: Sequence[str], whole: typer.Typer) -> typer.Typer:
    """The program `whole`, of which the command that `words` name can be run, and no other.

    The others keep what help and suggestions tell of them: name and help. Without words the shell
    may be asking what could be typed, which needs all: then it is `whole` itself.
    """
    return _narrowed(tuple(words), whole) if words else whole


def _narrowed(words: Sequence[str], group: typer.Typer) -> typer.Typer:
    named = next((at for at, word in enumerate(words) if not word.startswith("-")), len(words))
    word, rest = "".join(words[named : named + 1]), words[named + 1 :]
    narrowed = copy.copy(group)
    narrowed.registered_commands = [
        each if _command_name(each) == word else _command_outline(each)
        for each in group.registered_commands
    ]
    narrowed.registered_groups = [
        _with_group(each, _narrowed(rest, inner) if _group_name(each) == word else _empty(inner))
        for each in group.registered_groups
        if (inner := each.typer_instance) is not None
    ]
    return narrowed


def _command_name(info: CommandInfo) -> str:
    callback = info.callback
    return info.name or (get_command_name(callback.__name__) if callback is not None else "")


def _group_name(info: TyperInfo) -> object:
    # `add_typer` need not name a group that has a name itself.
    inner = info.typer_instance
    return info.name if isinstance(info.name, str) or inner is None else inner.info.name


def _command_outline(info: CommandInfo) -> CommandInfo:
    outline = copy.copy(info)
    outline.name = _command_name(info)
    outline.help = info.help or inspect.getdoc(info.callback)
    outline.callback = _not_asked
    return outline


def _not_asked() -> None:
    raise AssertionError("the command that runs is the first word that is no option")


def _with_group(info: TyperInfo, inner: typer.Typer) -> TyperInfo:
    changed = copy.copy(info)
    changed.typer_instance = inner
    return changed


def _empty(group: typer.Typer) -> typer.Typer:
    emptied = copy.copy(group)
    emptied.registered_commands, emptied.registered_groups = [], []
    return emptied
