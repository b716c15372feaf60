"""Rewrites the imports of one file, so that its text stands alone as a component's.

No line moves: what is said of a line of the component holds for the file's line.
"""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from functools import partial
from itertools import count
from typing import Final

from robbieblocks.adoption.drafts import Draft, MissingPackage, Plan
from robbieblocks.adoption.sources.assets import data_url, why_not_inlined
from robbieblocks.adoption.sources.statements import LAZY, quoted, statement
from robbieblocks.adoption.sources.stylesheets import css_module, is_for_pages, with_images
from robbieblocks.adoption.sources.syntax import Edit, Link, Name, SyntaxTree, edited, text_of
from robbieblocks.errors import Problem, Severity
from robbieblocks.messages import printable
from robbieblocks.model import component_specifier
from robbieblocks.row_faults import blame

_STYLES: Final = (".css", ".scss", ".sass", ".less", ".styl", ".pcss")


class Rewriting:
    """One file's edits and what was said of them; `done` gives the draft its code and CSS."""

    def __init__(self, draft: Draft, tree: SyntaxTree, plan: Plan) -> None:
        self._draft = draft
        self._tree = tree
        self._plan = plan
        self._folder = plan.modules.folder
        self._edits: list[Edit] = []
        self._sheets: list[tuple[str, str]] = []
        self._imports = 0
        self._free = 0

    def done(self) -> None:
        """Rewrite the text, and collect what can't be."""
        for link in self._tree.links:
            self._link(link)
        self._lazy()
        draft = self._draft
        if self._imports:
            plural = "" if self._imports == 1 else "s"
            draft.rewritten.insert(0, f"{self._imports} import{plural}")
        draft.code = edited(self._tree.text, self._edits).decode("utf-8", "replace")
        draft.css_from = [path for path, _ in self._sheets]
        if len(self._sheets) == 1:
            draft.css = self._sheets[0][1]
        else:
            draft.css = "\n".join(f"/* {path} */\n{css}" for path, css in self._sheets)

    def problem(self, offset: int, what: str, remedy: str, severity: Severity = "error") -> None:
        """Say what is wrong at a byte of the text."""
        line, column, source = self._tree.place(offset)
        self._draft.problems.append(
            Problem(
                entity="file",
                key=self._folder.name_of(self._draft.file),
                what=what,
                remedy=remedy,
                line=line,
                column=column,
                source=source,
                severity=severity,
            )
        )

    def _wrong_import(self, link: Link, what: str, remedy: str) -> None:
        """Say what is wrong with an import, at its specifier."""
        offset = link.inner[0] - 1
        self.problem(offset, what, remedy)
        self._draft.import_places.add(self._tree.place(offset)[:2])

    # --- statements -------------------------------------------------------------------------

    def _link(self, link: Link) -> None:
        path = self._draft.file
        target = self._plan.modules.resolve(path, link.specifier)
        if target is None:
            self._unresolved(link)
        elif "?" in link.specifier:
            self._asset(link, target)
        elif target in self._plan.modules.trees:
            self._code(link, target)
        elif target.lower().endswith(_STYLES):
            self._style(link, target)
        elif target in self._plan.keys:
            self._json(link, target)
        elif target in self._folder.skipped or target in self._folder.unreadable:
            self._left_out(link, target)
        else:
            self._asset(link, target)

    def _unresolved(self, link: Link) -> None:
        name = link.specifier
        if self._plan.modules.is_local(name):
            near = self._plan.modules.like(name)
            remedy = f"did you mean {near}?" if near else "correct it, or name the folder above"
            if name.startswith("/"):
                remedy = f"write the path itself, where it is needed: {json.dumps(name)}"
            self._wrong_import(link, f"there is no file {printable(name)}", remedy)
        elif not link.is_type and (remedy := self._plan.missing_package(name)):
            line, _, _ = self._tree.place(link.inner[0])
            self._draft.missing.append(MissingPackage(name, remedy, line))

    def _code(self, link: Link, target: str) -> None:
        if self._why_out(link, target):
            return
        groups = defaultdict[str, list[Name]](list)
        for name in link.names:
            file, imported = (
                (target, "*") if name.imported == "*" else self._plan.target(name, target)
            )
            groups[file].append(Name(imported, name.local, name.is_type))
        if set(groups) <= {target}:
            self._replace_specifier(link, target)
            return
        statements = [
            statement(link, names, component_specifier(self._plan.keys[file]))
            for file, names in groups.items()
        ]
        self._replace(link.start, link.end, " ".join(statements))
        self._imports += 1

    def _why_out(self, link: Link, target: str) -> bool:
        """Whether the file that is imported is not adopted; that is a problem."""
        if target in self._plan.keys:
            return False
        names = [self._plan.target(name, target) for name in link.names]
        if names and all(file in self._plan.keys for file, _ in names):
            return False
        what = f"{target} starts the app, and is not adopted"
        self.problem(link.inner[0] - 1, what, "move what is used into a file of its own")
        return True

    def _left_out(self, link: Link, target: str) -> None:
        why = self._folder.skipped.get(target, "it can't be read")
        if not target.endswith(".d.ts"):  # What such a file declares is gone when code runs.
            what = f"{self._folder.name_of(target)} is left out: {why}"
            self._wrong_import(link, what, "move what is used into a file of its own")

    def _style(self, link: Link, target: str) -> None:
        name = self._folder.name_of(target)
        if not target.lower().endswith(".css"):
            remedy = "compile it to CSS (for Sass: npx sass), and import that"
            self.problem(
                link.inner[0] - 1, f"{name} is not CSS, and nothing compiles it here", remedy
            )
            return
        if link.kind == "star" or (link.names and link.attributes):
            remedy = 'import its classes: import styles from "./name.module.css"'
            self._wrong_import(link, f"{name} can't be imported in this way", remedy)
            return
        css = self._folder.text(target)
        if isinstance(css, Problem):
            self._draft.problems.append(css)
            return
        self._plan.used_sheets.add(target)
        made = ""
        with blame(self._draft.problems.append, "file", name):
            css = with_images(css, partial(self._inlined, target))
            if link.names:
                made = self._css_module(link, target, css)
            elif is_for_pages(target, css):
                self._plan.page_sheets.add(target)
                self._draft.rewritten.append(f"{posixpath.basename(target)} left out")
                css = ""
        if css and target not in dict(self._sheets):
            self._sheets.append((target, made or css))
            self._draft.rewritten.append(f"{posixpath.basename(target)} as its CSS")
        if not link.names:
            self._replace(link.start, link.end, "")

    def _inlined(self, sheet: str, url: str) -> str:
        """The data: URL of a small image that a stylesheet names; empty for others."""
        is_file = not url.startswith(("/", "#")) and ":" not in url
        image = self._plan.modules.resolve(sheet, f"./{url}") if is_file else None
        return data_url(image, self._folder.content(image) or b"") if image is not None else ""

    def _css_module(self, link: Link, target: str, css: str) -> str:
        module = css_module(css, self._draft.key)
        for what, remedy, line in module.problems:
            lines = css.split("\n")
            self._draft.problems.append(
                Problem(
                    entity="file",
                    key=self._folder.name_of(target),
                    what=what,
                    remedy=remedy,
                    line=line,
                    source=lines[line - 1].rstrip("\r") if line <= len(lines) else "",
                )
            )
        self._constants(link, json.dumps(module.classes))
        return module.css

    def _json(self, link: Link, target: str) -> None:
        """Of a JSON file the module has all as its default export, which also `*` means here."""
        if link.kind == "star":
            remedy = "name what is handed on: export { default as data } from ..."
            self._wrong_import(link, "a JSON file has no names to hand on", remedy)
            return
        parts = [each for each in link.names if each.imported not in ("default", "*")]
        if link.is_type or {each.imported for each in link.names} <= {"default"}:
            self._replace_specifier(link, target)
            return
        whole = [Name("default", each.local) for each in link.names if each not in parts]
        specifier = component_specifier(self._plan.keys[target])
        statements = [statement(link, whole, specifier)] if whole else []
        if parts:
            all_ = self._free_name()
            statements.append(f"import {all_} from {json.dumps(specifier)};")
            statements += [self._constant(link, each, all_) for each in parts]
        self._replace(link.start, link.end, " ".join(statements))
        self._imports += 1

    def _asset(self, link: Link, target: str) -> None:
        whole = {each.imported for each in link.names} == {"default"} and "?" not in link.specifier
        content = self._folder.content(target) if whole else None
        value = data_url(target, content or b"")
        if value:
            self._constants(link, json.dumps(value))
            self._draft.rewritten.append(f"{posixpath.basename(target)} inlined")
        else:
            what, remedy = why_not_inlined(target, whole=whole)
            self._wrong_import(link, f"{self._folder.name_of(target)} {what}", remedy)

    def _constants(self, link: Link, value: str) -> None:
        """Put constants in the place of an import of what is no code."""
        parts = (self._constant(link, each, value) for each in link.names)
        self._replace(link.start, link.end, " ".join(parts))

    def _constant(self, link: Link, name: Name, value: str) -> str:
        """What a name of an import or export of no code stands for: `value`, or a member of it."""
        local = name.local if link.kind == "import" else self._free_name()
        named = name.imported not in ("default", "*")
        pattern = f"{{ {json.dumps(name.imported)}: {local} }}" if named else local
        # An export from elsewhere declares no name here, where another may have it.
        further = "" if link.kind == "import" else f" export {{ {local} as {quoted(name.local)} }};"
        return f"const {pattern} = {value};{further}"

    def _free_name(self) -> str:
        """A name that the file has nowhere."""
        names = (f"file{number}" for number in count(self._free + 1))
        found = next(name for name in names if name.encode() not in self._tree.text)
        self._free = int(found.removeprefix("file"))
        return found

    # --- import() ---------------------------------------------------------------------------

    def _lazy(self) -> None:
        """`const X = lazy(() => import("./x"))` becomes an import; what else is, bundling names."""
        for node in self._tree.root.named_children:
            if node.type != "lexical_declaration" or b"import(" not in (node.text or b""):
                continue
            found = LAZY.fullmatch(text_of(node))
            target = found and self._plan.modules.resolve(self._draft.file, found["from"])
            if found is None or target is None:
                continue
            name = Name(found["part"] or found["short"] or "default", found["name"])
            file, imported = self._plan.target(name, target)
            if file not in self._plan.keys:
                continue
            link = Link(kind="import", specifier="", start=0, end=0, inner=(0, 0))
            specifier = component_specifier(self._plan.keys[file])
            text = statement(link, [Name(imported, name.local)], specifier)
            self._replace(node.start_byte, node.end_byte, text)
            self._draft.rewritten.append(f"import() of {found['name']}")

    # --- edits ------------------------------------------------------------------------------

    def _replace_specifier(self, link: Link, target: str) -> None:
        start, end = link.inner
        self._edits.append((start, end, component_specifier(self._plan.keys[target]).encode()))
        if link.attributes is not None:
            self._replace(*link.attributes, "")
        self._imports += 1

    def _replace(self, start: int, end: int, text: str) -> None:
        """Replace a statement; its line breaks stay, so that no line moves."""
        lines = self._tree.text[start:end].count(b"\n") - text.count("\n")
        self._edits.append((start, end, (text + "\n" * max(0, lines)).encode()))
