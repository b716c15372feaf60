"""What is meant by a method that no value has: `toUpper` is `toUpperCase`."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final

_CALLED: Final = re.compile(r"(\.?)\b([A-Za-z_$][\w$]*+) is not a function")
_LIKENESS: Final = 0.7
# The methods of values that props hold, and of what code calls by name.
_METHODS: Final = frozenset(
    """
at charAt charCodeAt codePointAt concat endsWith includes indexOf lastIndexOf localeCompare match
matchAll normalize padEnd padStart repeat replace replaceAll search slice split startsWith substring
toLocaleLowerCase toLocaleUpperCase toLowerCase toUpperCase trim trimEnd trimStart
copyWithin entries every fill filter find findIndex findLast findLastIndex flat flatMap forEach join
keys map pop push reduce reduceRight reverse shift some sort splice toReversed toSorted toSpliced
unshift values with toFixed toPrecision toString toLocaleString valueOf hasOwnProperty
getDate getDay getFullYear getHours getMinutes getMonth getSeconds getTime toISOString toDateString
toLocaleDateString toLocaleTimeString has get set add delete clear
isArray from of assign freeze fromEntries stringify parse abs ceil floor max min pow random round
sqrt trunc isInteger isFinite isNaN parseFloat parseInt
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
)


def method_remedy(message: str) -> str:
    """What to do about a method that is not there; "" where it is one that other values have."""
    found = _CALLED.search(message[:400])
    if found is None or found[2] in _METHODS:
        return ""
    name = found[2]
    if name.startswith("on") and name[2:3].isupper():
        return "rows hold no functions: write what happens in the component"
    near = get_close_matches(name, _METHODS, n=1, cutoff=_LIKENESS) if found[1] else []
    return f"did you mean {near[0]}?" if near else ""
