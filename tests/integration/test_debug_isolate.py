"""The commands of docs/debug-isolate.md work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from robbieblocks.prerender.isolate import harness
from robbieblocks.prerender.isolate.keys import source_name
from robbieblocks.toolchain import Toolchain

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = re.findall(
    r"```sh\n(.*?)\n```", (ROOT / "docs" / "debug-isolate.md").read_text("utf-8"), re.DOTALL
)


def run(command: str) -> str:
    """What a command of the document prints."""
    command = re.sub(r"^python ", f"{sys.executable} ", command)
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S602 - the document's own text
    return done.stdout


@pytest.mark.usefixtures("toolchain")
def test_the_document_s_commands_work() -> None:
    """One renders a component of the seed, the other prints the harness with line numbers."""
    rendered, printed = map(run, COMMANDS)
    assert re.search(r'^reply: \{"refused":\{\},"done":\[\["<', rendered)
    assert "\nblock: RenderedBlock(html=" in rendered
    assert len(printed.splitlines()) == len(harness.script().splitlines())


def test_a_component_that_throws_is_shown_twice(tmp_path: Path, toolchain: Toolchain) -> None:
    """As the child process tells it, and as the problem that an editor reads."""
    assert toolchain.id
    (tmp_path / "it.tsx").write_text("export default ({ a }) => {\n  throw new Error(a);\n};")
    done = subprocess.run(
        [sys.executable, "-m", "tools.render_block", tmp_path / "it.tsx", '{"a": "seen"}'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    reply, block = done.stdout.split("\nblock: ")
    assert f"rb:{source_name('@robbieblocks/it')}:" in reply
    assert "harness.js:" in reply
    assert "line 2" in block
