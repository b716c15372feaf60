"""The Jinja templates: compiled once, rendered for thousands of pages."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from jinja2 import (
    Environment,
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
)
from jinja2.ext import Extension
from jinja2.nodes import Node
from jinja2.parser import Parser

from robbieblocks.css_text import bracket_problem
from robbieblocks.errors import ContentError, Problem, SiteUnavailable
from robbieblocks.file_reading import Refused, read_file
from robbieblocks.model import Sha256, sha256
from robbieblocks.prerender.page.balance import unbalanced
from robbieblocks.prerender.page.template_code import TemplateCode
from robbieblocks.row_faults import blame

_INLINED: Final = re.compile(r'\{%-?\s*inline\s+"([^"]+)"')


class Inline(Extension):
    """`{% inline "file" %}` puts another template in its place when the template is compiled.

    `include` and macros do so while rendering, which takes each page ten microseconds for each use.
    """

    tags = {"inline"}  # noqa: RUF012 - as the class that it derives from declares it

    def parse(self, parser: Parser) -> list[Node]:
        """The nodes of the other template. Raises TemplateError."""
        line = next(parser.stream).lineno
        name = parser.stream.expect("string").value
        if self.environment.loader is None:
            raise AssertionError("Templates gives its environment a loader")
        try:
            source, path, _ = self.environment.loader.get_source(self.environment, name)
        except TemplateNotFound:
            parser.fail(f"there is no template {name}", line)
        # Jinja drops the last newline of a template, which is wanted here.
        return self.environment.parse(source + "\n", name, path).body


class _Missing(StrictUndefined):
    """A value that is not there: says so without the names of our classes."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        return self._undefined_hint or f"there is no `{self._undefined_name}` here"


class Templates:
    """Folders of templates: the first that has a file provides it. Values are escaped, not Markup.

    The folders are listed once and each file is read once, so `hashes` are of what is rendered,
    also where somebody saves templates meanwhile.

    Raises ContentError for a folder that is not there: its pages must not change their looks.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._known: dict[str, bytes] = {}
        self._joint = ""
        for folder in folders:
            if not folder.is_dir():
                raise ContentError([_missing(folder)])
        self._names = {
            path.relative_to(folder).as_posix()
            for folder in folders
            for path in folder.rglob("*.j2")
        }
        self._jinja = Environment(
            loader=FunctionLoader(self._source),
            autoescape=True,
            undefined=_Missing,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=[Inline],
            bytecode_cache=TemplateCode(self._state),
        )

    def compiled(self, name: str) -> Template:
        """A template, by its path in the folder. Raises ContentError."""
        faults: list[Problem] = []
        with blame(faults.append, "template", name):
            try:
                return self._jinja.get_template(name)
            except TemplateSyntaxError as error:
                raise ContentError([_problem(error.name or name, error, error.lineno)]) from error
            except (TemplateError, UnicodeError) as error:
                raise ContentError([_problem(name, error, None)]) from error
        raise ContentError(faults)

    def names(self, name: str) -> set[str]:
        """The values that a template asks for, one that compiles. Raises as `text`."""
        return meta.find_undeclared_variables(self._jinja.parse(self.text(name)))

    def layouts(self) -> dict[str, Template]:
        """The layouts by name: each file whose name does not start with `_`."""
        paths = [PurePosixPath(name) for name in self._names]
        found = {
            path.name.removesuffix(".html.j2")
            for path in paths
            if path.match("layouts/*.html.j2")
            and len(path.parts) == 2
            and not path.name.startswith("_")
        }
        return {name: self.compiled(f"layouts/{name}.html.j2") for name in sorted(found)}

    def rendered(self, template: Template, values: Mapping[str, object]) -> str:
        """The text that a template renders. Raises ContentError where it fails."""
        faults: list[Problem] = []
        with blame(faults.append, "template", template.name or ""):
            try:
                # As Template.render without its copy of the globals, which takes as long as a page.
                context = template.new_context({**self._jinja.globals, **values}, shared=True)
                return self._jinja.concat(template.root_render_func(context))
            except TemplateError as error:
                raise ContentError([_problem(template.name or "", error, None)]) from error
        raise ContentError(faults)

    def read(self, name: str) -> bytes:
        """A file's bytes. Raises ContentError and SiteUnavailable."""
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> bytes:
        folder = self._folder_of(name)
        path = folder / name
        try:
            return read_file(path, folder)
        except (FileNotFoundError, Refused) as error:
            raise ContentError([_problem(name, error, None)]) from error
        except OSError as error:
            raise SiteUnavailable(f"could not read {path}: {error.strerror}") from error

    def find(self, name: str) -> bytes | None:
        """A file's bytes; None where no folder has it. Raises as `read`."""
        return self.read(name) if self._has(name) else None

    def text(self, name: str) -> str:
        """A file's text without a byte order mark. Raises as `read`, and ContentError where it is
        not UTF-8.
        """
        try:
            return self.read(name).decode("utf-8").removeprefix("\ufeff")
        except UnicodeError as error:
            raise ContentError([_problem(name, error, None)]) from error

    def stylesheet(self, name: str) -> str:
        """A stylesheet's text. Raises as `text`, and ContentError where something stays open."""
        text = self.text(name)
        if (wrong := bracket_problem(text)) is None:
            return text
        what, offset = wrong
        start, line = text.rfind("\n", 0, offset) + 1, text.count("\n", 0, offset) + 1
        raise ContentError(
            [
                Problem(
                    entity="template",
                    key=name,
                    what=what,
                    remedy="close what is open, or remove what closes nothing",
                    line=line,
                    column=offset - start + 1,
                    source=text.split("\n")[line - 1].rstrip("\r"),
                )
            ]
        )

    def check_html(self, layout: str, html: str) -> None:
        """Raise ContentError where a layout leaves an element open, or closes one that is not.

        `html` is what it renders around its zones.
        """
        fault = unbalanced(html)
        if fault is None:
            return
        name = f"layouts/{layout}.html.j2"
        names = (*_INLINED.findall(self.text(name)), name)
        begins, ends = f"<{fault.tag}", f"</{fault.tag}"
        texts = {each: self.text(each) for each in names}
        # Of the layout and what it inlines, the file that has not as many ends as beginnings.
        file = next((it for it in names if texts[it].count(begins) != texts[it].count(ends)), name)
        at = texts[file].rfind(ends if fault.stray else begins)
        raise ContentError(
            [
                Problem(
                    entity="template",
                    key=file,
                    what=fault.what,
                    remedy=fault.remedy,
                    line=texts[file].count("\n", 0, at) + 1 if at >= 0 else None,
                )
            ]
        )

    def hashes(self) -> dict[str, Sha256]:
        """The hash of each template by its path in the folder. Raises as `read`."""
        return {name: sha256(self.read(name)) for name in sorted(self._names)}

    def _state(self) -> str:
        """A hash of all templates: any of them may stand in another."""
        if not self._joint:
            hashes = self.hashes().items()
            self._joint = sha256("\n".join(f"{name} {digest}" for name, digest in hashes))
        return self._joint

    def _has(self, name: str) -> bool:
        return name in self._known or os.path.lexists(self._folder_of(name) / name)

    def _folder_of(self, name: str) -> Path:
        """The first folder that has a file; the last one where none has it."""
        having = (folder for folder in self._folders if os.path.lexists(folder / name))
        return next(having, self._folders[-1])

    def _source(self, name: str) -> tuple[str, str, None] | None:
        """What Jinja compiles: text, the file's name, and no check whether it is still the same."""
        if not self._has(name):
            return None
        text = self.read(name).decode("utf-8").removeprefix("\ufeff")
        path = str(self._folder_of(name) / name)
        return text.replace("\r\n", "\n").replace("\r", "\n"), path, None


def lost_zone(layout: str, zone: str) -> Problem:
    """A layout that does not show the blocks of a zone, which would be lost."""
    return Problem(
        entity="template",
        key=f"layouts/{layout}.html.j2",
        what=f"leaves out the zone `{zone}`, and blocks of a page stand there",
        remedy=f'add {{% inline "layouts/_{zone}.html.j2" %}}, or give the blocks another zone',
    )


def _missing(folder: Path) -> Problem:
    return Problem(
        entity="template",
        key=str(folder),
        what="is not a folder, and templates are to come from it",
        remedy="make it, or mend ROBBIEBLOCKS_TEMPLATES or project.templates in robbieblocks.toml",
    )


def _problem(name: str, error: Exception, line: int | None) -> Problem:
    message = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
    return Problem(
        entity="template", key=name, what=str(message), line=line, remedy="fix the template file"
    )
