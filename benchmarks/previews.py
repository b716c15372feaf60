"""`robbieblocks preview`: from a pushed edit of one page to the text of the comment."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import processes
from benchmarks.apps import Size
from benchmarks.processes import OURS, ROOT, FailedError, Run
from benchmarks.sites import Ground, put_aside
from robbieblocks.settings import resource_dir

_PAGE: Final = {"seed": "robbie-about.toml", "generated": "page-00003.toml"}


@dataclass(frozen=True, slots=True)
class Project:
    """A clone in which a page was edited since `main`."""

    folder: Path
    env: dict[str, str]

    def forget(self) -> None:
        """Forget what was built before."""
        put_aside(self.folder / ".robbieblocks" / "cache")

    def preview(self) -> Run:
        """Write the comment, as a whole program. Raises FailedError where it says nothing."""
        comment = self.folder / "comment.md"
        argv = (*OURS, "preview", "--against", "main", "--comment-file", comment)
        run = processes.run(argv, env=self.env, cwd=self.folder)
        if "1 changed" not in comment.read_text():
            raise FailedError(f"the comment does not tell the edit:\n{comment.read_text()[:2000]}")
        return run


def seed(ground: Ground) -> Project:
    """The seed content and its nodes."""
    folder = ground.folder / "preview-seed"
    shutil.copytree(resource_dir("schema") / "content", folder / "content")
    shutil.copytree(resource_dir("node_branding"), folder / "node_branding")
    return _edited(folder, _PAGE["seed"])


def generated(ground: Ground, size: Size) -> Project:
    """A generated app, exported as files."""
    folder = ground.folder / f"preview-{size.pages}"
    with ground.site(size) as site:
        processes.run((*OURS, "content", "export", folder), env=site.env, cwd=site.home)
    return _edited(folder, _PAGE["generated"])


def _edited(folder: Path, page: str) -> Project:
    (folder / "robbieblocks.toml").write_text('[project]\nname = "bench"\n')
    file = folder / "content" / "pages" / page
    for words in (
        ("init", "--quiet", "--initial-branch", "main"),
        ("add", "."),
        ("commit", "--quiet", "--message", "one"),
    ):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", *words],
            cwd=folder,
            check=True,
        )
    file.write_text(file.read_text().replace('title = "', 'title = "Edited ', 1))
    # Its home is the project's own folder.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return Project(folder=folder, env=inherited | {"PYTHONPATH": str(ROOT)})
