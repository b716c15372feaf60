"""The templates: read, compiled once, and rendered thousands of times."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.ext import Extension
from jinja2.nodes import Node
from jinja2.parser import Parser

from robbieblocks.errors import ContentError, Problem, SiteUnavailable
from robbieblocks.model import Sha256, sha256


class Inline(Extension):
    """`{% inline "file" %}` stands for what the file says.

    As `include`, but once, when the template is compiled: an include or a macro costs every page
    ten microseconds for each time that it is used.
    """

    tags = {"inline"}  # noqa: RUF012 - as the class that it derives from declares it

    def parse(self, parser: Parser) -> list[Node]:
        """The other file's nodes. Raises TemplateError."""
        next(parser.stream)
        name = parser.stream.expect("string").value
        if self.environment.loader is None:
            raise AssertionError("templates come from a folder")
        source, path, _ = self.environment.loader.get_source(self.environment, name)
        # The last newline of what is parsed does not count, and here it does.
        return self.environment.parse(source + "\n", name, path).body


class Templates:
    """A folder of templates. Everything that they are given is escaped, unless it is Markup."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jinja = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=[Inline],
        )

    def compiled(self, name: str) -> Template:
        """A template, by its path in the folder. Raises ContentError."""
        try:
            return self._jinja.get_template(name)
        except TemplateSyntaxError as error:
            raise ContentError([_problem(error.name or name, error, error.lineno)]) from error
        except (TemplateError, OSError, UnicodeError) as error:
            raise ContentError([_problem(name, error, None)]) from error

    def layouts(self) -> dict[str, Template]:
        """The layouts by name: each file whose name does not start with `_`."""
        found = (
            path.name.removesuffix(".html.j2")
            for path in (self._folder / "layouts").glob("*.html.j2")
            if not path.name.startswith("_")
        )
        return {name: self.compiled(f"layouts/{name}.html.j2") for name in sorted(found)}

    def rendered(self, template: Template, values: Mapping[str, Any]) -> str:
        """What a template makes of the values. Raises ContentError where it fails."""
        try:
            # As Template.render does, but for a copy of the globals, which takes as long as a page.
            context = template.new_context({**self._jinja.globals, **values}, shared=True)
            return self._jinja.concat(template.root_render_func(context))
        except TemplateError as error:
            raise ContentError([_problem(template.name or "", error, None)]) from error

    def read(self, name: str) -> bytes:
        """A file's bytes. Raises SiteUnavailable."""
        return read(self._folder / name)

    def hashes(self) -> dict[str, Sha256]:
        """The hash of each template by its path in the folder."""
        files = sorted(self._folder.rglob("*.j2"))
        return {f"{path.relative_to(self._folder)}": sha256(read(path)) for path in files}


def read(path: Path) -> bytes:
    """A file's bytes. Raises SiteUnavailable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SiteUnavailable(f"could not read {path}: {error.strerror}") from error


def _problem(name: str, error: Exception, line: int | None) -> Problem:
    message = getattr(error, "message", None) or str(error)
    return Problem(
        entity="template", key=name, what=str(message), line=line, remedy="mend the template file"
    )
