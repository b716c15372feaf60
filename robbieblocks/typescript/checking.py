"""Has TypeScript check components, and makes problems of what it says."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from robbieblocks import process
from robbieblocks.bundle import typed_text
from robbieblocks.errors import Problem, ProcessFailed
from robbieblocks.model import ComponentRow, component_specifier
from robbieblocks.names import KEY_LENGTH, name_problem
from robbieblocks.row_faults import blame
from robbieblocks.toolchain import Toolchain, TypeScript
from robbieblocks.typescript.packages import react_names
from robbieblocks.typescript.places import Places
from robbieblocks.typescript.program import CheckedText, Message, Program

# An editor needs no more of them.
_MAX_PROBLEMS: Final = 20
_MAX_CHARACTERS: Final = 600
_MAX_CODE_CHARACTERS: Final = 1_000_000
# A text may be made to take the checker for ever: then the others are checked without it.
_TIMEOUT_S: Final = 30.0
_LEAST_TIMEOUT_S: Final = 5.0
_ALL_S: Final = 120.0

# Of JavaScript only this is certain: a name that is not there, an import that has no such name.
_CERTAIN: Final = frozenset({2304, 2552, 2305, 2614, 2724, 1192})
_NO_SUCH_MEMBER: Final = frozenset({2339, 2551})
_NO_SUCH_MODULE: Final = frozenset({2307, 2882, 7016})
_UNTYPED: Final = frozenset({7006, 7031})
_REMEDIES: Final = {
    2307: "types come from the packages that may be imported, and from @robbieblocks/<key>",
    2304: "declare it, import it, or mend its name",
    2531: "look whether it is there first, or write ?.",
    2532: "look whether it is there first, or write ?.",
    18047: "look whether it is there first, or write ?.",
    18048: "look whether it is there first, or write ?.",
    7006: "write its type behind it, as in (name: string)",
    7031: 'write the type of the props: `import type {{ Props }} from "{specifier}/props"` has it',
}
_FITS_REMEDY: Final = (
    "let props_schema require it, give it a default or another type; or let the type of the "
    "component's props take it"
)
_SIMPLER: Final = "make its types simpler, or write // @ts-nocheck above them"
_NOT_REACHED: Final = (
    "other components took all the time there is",
    "mend those that take too long, and check again",
)
_WAS_KILLED: Final = (
    "its process was killed, by the kernel or by a person",
    "see what this machine is short of, mostly memory, and check again",
)
_SUGGESTION: Final = "Did you mean "


def type_problems(
    components: Mapping[str, ComponentRow], toolchain: Toolchain, typescript: TypeScript
) -> tuple[Problem, ...]:
    """What TypeScript finds in the published components, by key, each with its place.

    Components that a build can't read are left out: the build has errors about them. A JavaScript
    text is read leniently. Takes two minutes at most, whatever texts say, and opens no file for
    them. Raises ProcessFailed where TypeScript can't run.
    """
    problems: list[Problem] = []
    texts = list(_texts(components.values(), typescript, problems.append))
    if not texts:
        return tuple(problems)
    with process.temporary_folder() as folder:
        program = Program(folder, texts, _importable(components), toolchain, typescript)
        messages = _Examination(program, texts, problems.append).messages()
    by_component = defaultdict[int, list[Message]](list)
    for message in messages:
        by_component[message.number].append(message)
    for number, each in enumerate(texts):
        with blame(problems.append, "component", each.row.key, "react_code"):
            problems += _problems(each, by_component[number])
    return tuple(problems)


def _importable(components: Mapping[str, ComponentRow]) -> list[str]:
    return [key for key in components if name_problem(key, longest=KEY_LENGTH) is None]


def _texts(
    rows: Iterable[ComponentRow], typescript: TypeScript, fault: Callable[[Problem], object]
) -> Iterator[CheckedText]:
    names = react_names(typescript)
    for row in sorted(rows, key=lambda row: row.key):
        if (
            row.published
            and name_problem(row.key, longest=KEY_LENGTH) is None
            and len(row.code) <= _MAX_CODE_CHARACTERS
        ):
            text = None
            with blame(fault, "component", row.key, "react_code"):
                props = f'import("{component_specifier(row.key)}/props").Props'
                text = typed_text(row, names, props)
            if text is not None:
                yield CheckedText(row=row, text=text)


class _Examination:
    """Checks all components at once; where that fails, in halves, until it is known which fail."""

    def __init__(
        self,
        program: Program,
        texts: Sequence[CheckedText],
        fault: Callable[[Problem], object],
    ) -> None:
        self._program = program
        self._texts = texts
        self._fault = fault
        self._deadline = time.monotonic() + _ALL_S

    def messages(self) -> list[Message]:
        return self._of(range(len(self._texts)))

    def _of(self, group: Sequence[int]) -> list[Message]:
        share = len(group) / len(self._texts)
        limit = max(_LEAST_TIMEOUT_S, _TIMEOUT_S * share)
        left = self._deadline - time.monotonic()
        if left < _LEAST_TIMEOUT_S:
            for number in group:
                self._unchecked(number, *_NOT_REACHED, passing=True)
            return []
        try:
            return self._program.check(group, min(limit, left))
        except ProcessFailed as error:
            if len(group) == 1:
                self._unchecked(group[0], *_why(error), passing=isinstance(error, process.Killed))
                return []
        middle = len(group) // 2
        return self._of(group[:middle]) + self._of(group[middle:])

    def _unchecked(self, number: int, why: str, remedy: str, *, passing: bool) -> None:
        self._fault(
            Problem(
                entity="component",
                key=self._texts[number].row.key,
                field="react_code",
                what=f"TypeScript could not check it: {why}",
                remedy=remedy,
                passing=passing,
            )
        )


def _why(error: ProcessFailed) -> tuple[str, str]:
    """Why one component could not be checked, and what to do."""
    match error:
        # By others; of so many it may be its own memory.
        case process.Killed():
            return _WAS_KILLED
        case process.TimedOut():
            return "it takes too long", _SIMPLER
        case _:
            return "it gave up", _SIMPLER


def _problems(each: CheckedText, messages: Sequence[Message]) -> list[Problem]:
    """The first of a component's messages that are faults of it, as problems by place."""
    # Of a component that does not say what props it takes, that is the thing to report.
    untyped = any(message.code in _UNTYPED for message in messages)
    places = Places(each.text, each.row.code)
    # There may be many thousands: only those that are kept are looked at further.
    kept = (
        message
        for message in sorted(messages, key=lambda one: (one.line, one.column))
        if (not untyped if message.kind == "f" else _counts(each, message, places))
    )
    found = [_problem(each, message, places) for message in islice(kept, _MAX_PROBLEMS)]
    return sorted(found, key=lambda one: (one.line or 0, one.column or 0))


def _problem(each: CheckedText, message: Message, places: Places) -> Problem:
    """A message as a problem of the component's text."""
    row, text = each.row, each.text
    said, suggestion = _parted(message.text)
    what = _sentence(said)
    remedy = _REMEDIES.get(message.code, "").format(specifier=component_specifier(row.key))
    if suggestion:
        remedy = f"did you mean {suggestion}"
    if message.kind == "f":
        place = None if text.props is None else (text.props.line, text.props.column)
        what, remedy = f"props_schema lets through what it does not take: {what}", _FITS_REMEDY
    else:
        place = places.stored(message.line, message.column)
    line, column = (None, None) if place is None else place
    return Problem(
        entity="component",
        key=row.key,
        field="react_code",
        what=f"{what} (TS{message.code})",
        remedy=remedy,
        line=line,
        column=column,
        source="" if line is None else places.lines[line - 1].rstrip("\r"),
    )


def _counts(each: CheckedText, message: Message, places: Places) -> bool:
    """Whether a message is one for an editor."""
    text = each.text
    if message.code in _NO_SUCH_MODULE:
        quoted = re.search(r"'(.*?)'", message.text)
        return text.has_types and (quoted is None or quoted[1] not in text.value_imports)
    if text.has_types or message.code in _CERTAIN:
        return True
    return (
        text.is_expression
        and message.code in _NO_SUCH_MEMBER
        and places.comes_after("props.", message.line, message.column)
    )


def _parted(text: str) -> tuple[str, str]:
    """A message without the suggestion that ends one of its lines, and that, or nothing."""
    before, _, after = text.rpartition(_SUGGESTION)
    suggestion, _, rest = after.partition("\n")
    if not before or not suggestion.rstrip().endswith("?"):
        return text, ""
    return f"{before.rstrip(' ')}\n{rest}".rstrip(), suggestion.strip()


def _sentence(text: str) -> str:
    """A message as one line: of several, the first says the least, and the last the most."""
    lines = [line.strip() for line in text.split("\n")]
    lines = lines[1:] or lines
    if len(lines) > 3:
        lines = [lines[0], "…", *lines[-2:]]
    sentence = " ".join(lines).rstrip(".")
    return sentence if len(sentence) <= _MAX_CHARACTERS else sentence[: _MAX_CHARACTERS - 1] + "…"
