"""What decides a block's HTML, as keys: equal keys give equal HTML."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from robbieblocks.model import (
    Bundle,
    RenderJob,
    Sha256,
    component_specifier,
    reachable,
    sha256,
)

_HERE: Final = Path(__file__).resolve().parent


def job_key(job: RenderJob, bundle: Bundle) -> str:
    """A hash of all that decides the job's HTML: job, React, harness, every script it loads."""
    known = _known(bundle)
    scripts = known.scripts.get(job.component)
    if scripts is None:
        scripts = known.scripts[job.component] = _scripts_key(job.component, known)
    return sha256("\0".join((scripts, job.component, job.prefix, job.props_json)))


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a bundle: thousands of jobs share a few hundred components."""

    bundle: Bundle
    base: str
    scripts: dict[str, str] = field(default_factory=dict)


_latest: list[_Known] = []


def _known(bundle: Bundle) -> _Known:
    """What is known of this very bundle; only the latest is kept."""
    if not _latest or _latest[0].bundle is not bundle:
        _latest[:] = [_Known(bundle, f"{_harness_hash()}\0{sha256(bundle.isolate)}")]
    return _latest[0]


def _scripts_key(component: str, known: _Known) -> str:
    modules = known.bundle.modules
    parts = [known.base]
    for specifier in sorted(reachable([component_specifier(component)], modules)):
        parts += [specifier, modules[specifier].script_hash]
    return sha256("\0".join(parts))


@functools.cache
def _harness_hash() -> Sha256:
    """Changes whenever the code that decides what a render gives does."""
    names = ("prelude.js", "isolate.js", "guard.py", "child.py")
    return sha256(b"\0".join((_HERE / name).read_bytes() for name in names))


def source_name(specifier: str) -> str:
    """How stack traces call a module: safe whatever a specifier holds, different for each."""
    return sha256(specifier)[:16]
