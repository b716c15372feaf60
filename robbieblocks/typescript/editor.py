"""What an editor needs to complete and check a project's files.

All of it is made anew each time and lies in one folder; the files by which an editor finds it are a
person's own, and written only where they are missing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from robbieblocks import content
from robbieblocks.assemble import MARKDOWN, MEDIA, References, ValueProblem, normal_form
from robbieblocks.builtin import BUILTIN
from robbieblocks.bundle import TypedText, typed_text
from robbieblocks.content import Component
from robbieblocks.errors import SiteUnavailable
from robbieblocks.messages import printable
from robbieblocks.model import ComponentRow, Json, component_specifier
from robbieblocks.names import KEY_LENGTH, name_problem
from robbieblocks.process import temporary_folder
from robbieblocks.row_faults import blame
from robbieblocks.toolchain import Toolchain, TypeScript
from robbieblocks.typescript.packages import options, paths, react_names
from robbieblocks.typescript.props import ANY, Filling, props_module

FOLDER: Final = Path(".robbieblocks") / "types"
_DEFAULT: Final = """\
export * from "{module}";
declare const component: (props: {props}) => import("react").ReactNode;
export default component;
"""


class EditorFiles(NamedTuple):
    """What was written: `made` are files of a person's own that were missing.

    `missing` are those that are there and lead elsewhere, each with the text that it should have.
    """

    components: int
    made: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]


def write_editor_files(
    project: Path,
    content_folder: Path,
    branding_folder: Path,
    components: Iterable[Component],
    toolchain: Toolchain,
    typescript: TypeScript,
) -> EditorFiles:
    """Write types and schemas into a project's folder. Raises SiteUnavailable."""
    named = [
        row
        for row in components
        if not content.is_packaged(row) and name_problem(row.key, longest=KEY_LENGTH) is None
    ]
    files = _generated(project, content_folder, named, toolchain, typescript)
    own = content.editor_files(
        _relative(content_folder, project), _relative(branding_folder, project)
    )
    made: list[str] = []
    missing: list[tuple[str, str]] = []
    try:
        _replace_folder(project / FOLDER, files)
        for name, text in own.items():
            file = project / name
            if not os.path.lexists(file):
                file.parent.mkdir(exist_ok=True)
                file.write_text(text, encoding="utf-8")
                made.append(name)
            elif FOLDER.as_posix() not in file.read_text(encoding="utf-8", errors="replace"):
                missing.append((name, text))
    except OSError as error:
        where = printable(str(error.filename or project))
        raise SiteUnavailable(f"can't write {where}: {error.strerror or error}") from error
    return EditorFiles(len(named), tuple(made), tuple(missing))


def _generated(
    project: Path,
    content_folder: Path,
    components: list[Component],
    toolchain: Toolchain,
    typescript: TypeScript,
) -> dict[str, str]:
    """The text of each generated file, by its name in their folder."""
    folder = project / FOLDER
    names = react_names(typescript)
    path_map = paths(toolchain, typescript)
    every = f"{_relative(content_folder, folder)}/components/*/component"
    path_map[component_specifier("*")] = [every]
    files: dict[str, str] = {}
    own = {row.key for row in components}
    for key, builtin in BUILTIN.items():
        if key in own:
            continue
        files[f"{key}.tsx"] = builtin.code
        path_map[component_specifier(key)] = [f"./{key}.tsx"]
    packaged = [row for key, row in content.PACKAGED.items() if key not in own]
    reads_props = False
    for row in components:
        specifier = component_specifier(row.key)
        module = _relative(row.file.parent, folder) + "/component"
        files[f"props/{row.key}.d.ts"] = props_module(row.props_schema)
        path_map[f"{specifier}/props"] = [f"./props/{row.key}.d.ts"]
        path_map[specifier] = [module]
        text = _text(row, names)
        if text is not None and not text.own_default:
            # As in a check, JavaScript takes what it is given.
            typed = text.has_types or text.is_expression
            props = f'import("../props/{row.key}").Props' if typed else ANY
            stub = _DEFAULT.format(module=f"../{module}", props=props)
            files[f"components/{row.key}.d.ts"] = stub
            path_map[specifier] = [f"./components/{row.key}.d.ts"]
            reads_props = reads_props or text.is_expression
    files["globals.d.ts"] = _globals(names, reads_props=reads_props)
    settings = {
        "compilerOptions": options(path_map),
        "include": ["*.d.ts", "props/*.d.ts", f"{_relative(content_folder, folder)}/components"],
    }
    schemas = content.file_schemas()
    _add_components(schemas["page"], [*components, *packaged])
    files |= {f"{kind}.schema.json": _json(schema) for kind, schema in schemas.items()}
    return {**files, "tsconfig.json": _json(settings)}


def _text(row: Component, names: frozenset[str]) -> TypedText | None:
    stored = ComponentRow(id=UUID(int=0), key=row.key, name=row.name, type=row.type, code=row.code)
    with blame(lambda _: None, "component", row.key, "react_code"):
        return typed_text(stored, names, "any")
    return None


def _globals(names: frozenset[str], *, reads_props: bool) -> str:
    """React's names, which components may use without an import."""
    consts = [f"  const {name}: typeof React.{name};\n" for name in sorted(names)]
    if reads_props:
        consts.append("  /** The props of a component that is an expression. */\n")
        consts.append("  const props: any;\n")
    return 'import * as React from "react";\ndeclare global {\n' + "".join(consts) + "}\n"


def _add_components(page: dict[str, Any], components: Iterable[Component]) -> None:
    """Let the schema of pages know the components, and what props each takes."""
    block = page["properties"]["blocks"]["items"]
    rows = list(components)
    block["properties"]["component"]["anyOf"] = [{"enum": [row.key for row in rows]}, {}]
    block["allOf"] = [
        {
            "if": {"properties": {"component": {"const": row.key}}},
            "then": {"properties": {"props": schema}},
        }
        for row in rows
        if (schema := _props_schema(row.props_schema))
    ]


def _props_schema(stored: Json) -> Json:
    """A schema for props as a page writes them, where defaults are not there yet."""
    form = normal_form(stored)
    schema = None if isinstance(form, ValueProblem) else form[0]
    # A reference would lead elsewhere from inside another schema.
    if not schema or any(
        word in json.dumps(schema) for word in ('"$ref"', '"$dynamicRef"', '"$id"')
    ):
        return None
    return _without_filled(schema, Filling(References(schema)))


def _without_filled(schema: Json, is_filled_in: Filling) -> Json:
    """A schema that does not require what gets a default, or may lie in a file of its own."""
    if isinstance(schema, list):
        return [_without_filled(each, is_filled_in) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        name: _without_filled(part, is_filled_in)
        for name, part in schema.items()
        if name != "$schema"
    }
    required, members = schema.get("required"), schema.get("properties")
    if isinstance(required, list) and isinstance(members, dict):
        made["required"] = [
            name
            for name in required
            if not is_filled_in(member := members.get(str(name)))
            and not any(f'"{name}"' in json.dumps(member) for name in (MARKDOWN, MEDIA))
        ]
    return made


def _replace_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Put a new folder in the place of the one that is there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder.parent, ".types-") as new:
        new.chmod(0o755)
        for name, text in files.items():
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text(text, encoding="utf-8")
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)


def _relative(path: Path, start: Path) -> str:
    return Path(os.path.relpath(path, start)).as_posix()


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
