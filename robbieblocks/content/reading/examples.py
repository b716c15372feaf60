"""Examples of components: props to look at, in files beside the code. No database has them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from robbieblocks.assemble import props_problems
from robbieblocks.content.shape import EXAMPLES, Component, Example
from robbieblocks.content.writing.folder_files import FolderFiles
from robbieblocks.content.writing.rows import example_toml
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.model import JsonObject, sha256
from robbieblocks.names import KEY_LENGTH, NAME_REMEDY, name_problem
from robbieblocks.source_files import ProblemCollector, Table, line_of, read_toml, unstorable


def example_of(table: Table) -> Example:
    """What an example's file says; what is wrong with it is collected."""
    found = Example(
        name=table.file.stem,
        title=table.string("title", most=255),
        description=table.string("description"),
        props=table.json_object("props"),
        file=table.file,
        digest=sha256(table.source),
    )
    table.finish()
    return found


def with_examples(collector: ProblemCollector, row: Component, files: Iterable[Path]) -> Component:
    """A component with the examples of these files; those that can't be read are left out."""
    found = [_read(collector, file, row) for file in files]
    return replace(row, examples=tuple(each for each in found if each is not None))


def _read(collector: ProblemCollector, file: Path, row: Component) -> Example | None:
    before = len(collector.problems)
    table = read_toml(collector, file)
    if table is None:
        return None
    found = example_of(table)
    if len(collector.problems) > before:
        return None
    for problem in props_problems(row.props_schema, found.props):
        steps = tuple(problem.pointer.replace("~1", "/").replace("~0", "~").split("/")[1:])
        path = tuple(int(step) if step.isdecimal() else step for step in steps)
        collector.add(
            file,
            f"props{' at ' + problem.pointer if problem.pointer else ''}: {problem.what}",
            problem.remedy,
            line=line_of(table.places, ("props", *path)),
        )
    return found


def save_example(
    row: Component, name: str, title: str, props: JsonObject, *, before: str | None
) -> Path:
    """Write an example of a component, and return its file.

    `before` is the digest that the file is known to have; None where it is not there. Raises
    UsageError where the file is another one by now, or the name can't be one, and SiteUnavailable.
    """
    if wrong := name_problem(name, longest=KEY_LENGTH // 3):
        raise UsageError(f"the example's name {wrong}: {NAME_REMEDY}")
    if wrong := unstorable({"title": title, "props": props}):
        raise UsageError(f"the example {wrong}: write another value")
    for problem in props_problems(row.props_schema, props):
        at = f" at {problem.pointer}" if problem.pointer else ""
        raise UsageError(f"the component refuses these props{at}: {problem.what}")
    folder = row.file.parent
    file = folder / EXAMPLES / f"{name}.toml"
    target = FolderFiles(folder, folder)
    try:
        now = target.text(file) if os.path.lexists(file) else None
        if (now if now is None else sha256(now)) != before:
            what = "is there already" if before is None else "was changed meanwhile"
            raise UsageError(f"{file} {what}: choose another name")
        known = next((each for each in row.examples if each.name == name), None)
        kept = known.description if known else None
        example = Example(name=name, title=title or None, description=kept, props=props, file=file)
        target.put(file, example_toml(example, now or ""))
    except OSError as error:
        raise SiteUnavailable(f"can't write {file}: {error.strerror or error}") from error
    return file
