"""Renders one component by hand, and shows what its child process answers.

    python -m tools.render_block COMPONENT.tsx ['{"prop": "value"}']

docs/debug-isolate.md explains the output.
"""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from uuid import UUID

from robbieblocks.bundle import Bundler
from robbieblocks.cache import Cache
from robbieblocks.model import Bundle, ComponentRow, RenderJob, component_specifier, reachable
from robbieblocks.prerender import Prerenderer
from robbieblocks.prerender.isolate.client import PROVIDED, definition, start_child
from robbieblocks.settings import Settings
from robbieblocks.toolchain import ensure

KEY = "it"
SPECIFIER = component_specifier(KEY)
PREFIX = "b1-"
CPU_S = 2.0
HEAP_BYTES = 256 << 20
TIMEOUT_S = 30.0


def main(path: Path, props: str = "{}") -> int:
    """Print the child's reply and the block; 1 where the component does not compile or render."""
    bundle = compiled(path.read_text("utf-8"))
    if bundle.problems:
        print(*bundle.problems, sep="\n")
        return 1
    print("reply:", reply(bundle, props))
    job = RenderJob(component=KEY, props_json=props, prefix=PREFIX)
    with Prerenderer(isolates=1) as prerenderer:
        (block,) = prerenderer.render([job], bundle)
    print("block:", block.problem or block)
    return int(block.problem is not None)


def compiled(code: str) -> Bundle:
    """The bundle of one component, with React and the packages that it imports."""
    row = ComponentRow(id=UUID(int=0), key=KEY, name=KEY, type="debug", code=code, css="")
    toolchain = ensure(Settings.from_environment(), lambda text: print(text, file=sys.stderr))
    with (
        tempfile.TemporaryDirectory() as folder,
        Cache(Path(folder)) as cache,
        closing(Bundler(cache)) as bundler,
    ):
        return bundler.bundle({KEY: row}, [KEY], toolchain=toolchain, tokens=(), base_css="")


def reply(bundle: Bundle, props: str) -> str:
    """What a child process answers, frame by frame as the protocol module describes them."""
    modules = sorted(reachable([SPECIFIER], bundle.modules) - PROVIDED)
    frames: list[object] = [
        {"open": bundle.isolate, "cpu": CPU_S, "heap": HEAP_BYTES, "elsewhere": False},
        {
            "define": [definition(bundle.modules[name]) for name in modules],
            "render": [(SPECIFIER, props, PREFIX)],
        },
    ]
    with start_child() as child:
        answers = [child.call(json.dumps(frame).encode(), TIMEOUT_S) for frame in frames]
    return answers[-1].decode()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:3]))
