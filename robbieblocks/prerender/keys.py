"""What decides a block's HTML, as keys: equal keys give equal HTML."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from robbieblocks.model import Bundle, Module, RenderJob, Sha256, component_specifier, sha256

_HERE: Final = Path(__file__).resolve().parent


def job_key(job: RenderJob, bundle: Bundle) -> str:
    """A hash of all that decides the job's HTML: job, React, harness, every script it loads."""
    scripts = _scripts_key(job.component, bundle)
    return sha256("\0".join((scripts, job.component, job.prefix, job.props_json)))


def _scripts_key(component: str, bundle: Bundle) -> str:
    """Kept per bundle: thousands of jobs share a few hundred components."""
    memo = _memo(bundle)
    known = memo.get(component)
    if known is None:
        parts: list[str] = [_harness_hash(), sha256(bundle.isolate)]
        for specifier in sorted(closure([component_specifier(component)], bundle.modules)):
            parts += [specifier, bundle.modules[specifier].script_hash]
        known = memo[component] = sha256("\0".join(parts))
    return known


_memos: list[tuple[Bundle, dict[str, str]]] = []


def _memo(bundle: Bundle) -> dict[str, str]:
    """The memo of this very bundle; only the latest is kept."""
    if not _memos or _memos[0][0] is not bundle:
        _memos[:] = [(bundle, {})]
    return _memos[0][1]


@functools.cache
def _harness_hash() -> Sha256:
    """Changes whenever the code that decides what a render gives does."""
    names = ("prelude.js", "isolate.js", "guard.py", "child.py")
    return sha256(b"\0".join((_HERE / name).read_bytes() for name in names))


def closure(specifiers: Iterable[str], modules: Mapping[str, Module]) -> set[str]:
    """The given modules and all that they import, as far as there are any."""
    found: set[str] = set()
    pending = list(specifiers)
    while pending:
        specifier = pending.pop()
        if specifier in found or specifier not in modules:
            continue
        found.add(specifier)
        pending += modules[specifier].imports
    return found
