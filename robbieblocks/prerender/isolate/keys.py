"""The cache keys of rendered blocks: equal keys give equal HTML."""

from __future__ import annotations

import functools
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
from robbieblocks.source_hash import source_hash

_CODE: Final = source_hash(Path(__file__).resolve().parent)
# mini-racer brings V8 with its ICU; selectolax decides which raw HTML is refused.
_DECISIVE: Final = ("mini-racer", "selectolax")


@functools.cache
def isolate_hash() -> Sha256:
    """A hash of what decides how components run: this package's code, V8, ICU, the HTML parser."""
    # Not imported above: isolates are started before a command has loaded it.
    from importlib.metadata import version

    return sha256("\0".join([_CODE, *map(version, _DECISIVE)]))


class JobKeys:
    """The keys of one bundle's jobs. Make one for each build: thousands of jobs share a few
    hundred components, whose scripts are hashed once.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._react = f"{isolate_hash()}\0{sha256(bundle.isolate)}"
        self._components: dict[str, Sha256] = {}

    def key(self, job: RenderJob) -> Sha256:
        """A hash of all that decides the job's HTML: the job, React, every script that it loads,
        and `isolate_hash`.
        """
        scripts = self._components.get(job.component)
        if scripts is None:
            scripts = self._components[job.component] = self._scripts_hash(job.component)
        return sha256("\0".join((scripts, job.component, job.prefix, job.props_json)))

    def _scripts_hash(self, component: str) -> Sha256:
        modules = self.bundle.modules
        parts = [self._react]
        for specifier in sorted(reachable([component_specifier(component)], modules)):
            parts += [specifier, modules[specifier].script_hash]
        return sha256("\0".join(parts))


def source_name(specifier: str) -> str:
    """The name of a module in stack traces: safe whatever the specifier holds, and its own."""
    return sha256(specifier)[:16]
