"""The script of the isolate, what its process loads, and what the cache keys cover."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from robbieblocks.prerender.isolate import harness, keys
from robbieblocks.prerender.page import renderer
from robbieblocks.source_hash import source_hash

ISOLATE = Path(keys.__file__).parent
PAGE = Path(renderer.__file__).parent
_IMPORTED = re.compile(r'^import [^;]* from "\./([a-z_]+\.js)";$', re.MULTILINE)


def test_every_module_is_joined_once() -> None:
    """A file that is put into the folder belongs to the script, or this fails."""
    files = sorted(path.name for path in harness.JS_FOLDER.iterdir())
    assert sorted([*harness.MODULES, "elsewhere.js"]) == files


def test_modules_import_only_what_stands_before_them() -> None:
    """Joined in their order, each module finds the names that it imports."""
    for index, name in enumerate(harness.MODULES):
        imported = _IMPORTED.findall((harness.JS_FOLDER / name).read_text("utf-8"))
        assert set(imported) <= set(harness.MODULES[:index]), name


def test_the_joined_script_has_the_lines_of_its_modules() -> None:
    """No import or export is left, and line numbers of an error can be counted back to a module."""
    lines = harness.script().splitlines()
    assert not [line for line in lines if re.match(r"(import|export)\b", line)]
    at = 2
    for name in harness.MODULES:
        text = (harness.JS_FOLDER / name).read_text("utf-8").splitlines()
        joined = lines[at : at + len(text)]
        assert joined[0] == text[0]
        assert joined[-1] == text[-1].removeprefix("export ")
        at += len(text)
    assert lines[at:] == ["return harness;", "})()", "//# sourceURL=harness.js"]


def test_elsewhere_everything_is_another() -> None:
    """The same names as here, each with another value, and the script differs in nothing else."""
    here, elsewhere = (
        dict(re.findall(r"^export const (\w+) = (.*);$", text, re.MULTILINE))
        for text in (
            (harness.JS_FOLDER / name).read_text("utf-8") for name in ("here.js", "elsewhere.js")
        )
    )
    assert here.keys() == elsewhere.keys()
    assert not [name for name in here if here[name] == elsewhere[name]]
    lines = set(harness.script(elsewhere=True).splitlines()) - set(harness.script().splitlines())
    assert {line for line in lines if not line.startswith("//")} == {
        f"const {name} = {value};" for name, value in elsewhere.items()
    }


def test_the_isolate_process_loads_little() -> None:
    """It starts quickly, and its cache keys cover every module of this package that it loads."""
    program = "import sys, robbieblocks.prerender.isolate.process; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(ran.stdout.split())
    assert not loaded & {"jinja2", "markupsafe", "orjson", "psycopg", "robbieblocks.model"}
    own = {name for name in loaded if name.startswith("robbieblocks.prerender.")}
    assert own == {
        "robbieblocks.prerender.isolate",
        *(
            f"robbieblocks.prerender.isolate.{name}"
            for name in (
                *("controls", "harness", "html_check", "nesting", "process", "protocol"),
                "v8_isolate",
            )
        ),
    }


def test_keys_change_with_every_source_file(tmp_path: Path) -> None:
    """No file of the isolate or of the page renderer can change and leave old results in use."""
    for folder in (ISOLATE, PAGE):
        copy = tmp_path / folder.name
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
        hashes = [source_hash.__wrapped__(copy)]
        files = [path for path in copy.rglob("*") if path.is_file()]
        assert {path.suffix for path in files} == {".py", ".js"}
        for path in files:
            path.write_bytes(path.read_bytes() + b"\n")
            hashes.append(source_hash.__wrapped__(copy))
        (copy / "added.py").write_bytes(b"")
        hashes.append(source_hash.__wrapped__(copy))
        files[0].unlink()
        hashes.append(source_hash.__wrapped__(copy))
        assert len(set(hashes)) == len(files) + 3
