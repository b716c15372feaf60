"""Entries that take long, shared out: of many nodes that need the same ones each makes some.

Every process takes them in an order of its own (rendezvous hashing), claims one before it makes it,
and leaves for later what another has claimed. So each finds another one to make, and in the end
they are all there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping

Ask = Callable[[Collection[str]], Mapping[str, bytes] | None]
"""Gives what is there now, by name; None where the bucket is left alone."""

# Each may be a large picture, and what was asked for together is in memory together.
_ASKED_AT_ONCE = 4


def turns(
    names: Collection[str],
    own: str,
    ask: Ask,
    is_another_s: Callable[[str], bool],
    awaited: Callable[[str], bytes | None],
) -> Iterator[tuple[str, bytes | None]]:
    """Each entry with its content, or with None: then it is to be made before the next is taken.

    `own` names this process, `is_another_s` claims an entry for it where nobody else makes it, and
    `awaited` waits for one that somebody does.
    """
    absent: list[str] = []
    order = sorted(names, key=lambda name: hashlib.sha256(f"{own} {name}".encode()).digest())
    for start in range(0, len(order), _ASKED_AT_ONCE):
        some = order[start : start + _ASKED_AT_ONCE]
        found = ask(some)
        if found is None:
            yield from ((name, None) for name in some)
            continue
        yield from found.items()
        absent += [name for name in some if name not in found]
    later: list[str] = []
    for number, name in enumerate(absent):
        # While the others before it were made here, somebody may have made it.
        came = ask([name]) if number else None
        if came:
            yield from came.items()
        elif is_another_s(name):
            later.append(name)
        else:
            yield name, None
    for name in later:
        content = awaited(name)
        if content is None and is_another_s(name):
            # Who had claimed it is gone, and of those who waited another one makes it.
            content = awaited(name)
        yield name, content
