"""The files of a folder as modules that import each other: which file a name comes from."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from robbieblocks.adoption.sources.reading import SourceFolder
from robbieblocks.adoption.sources.syntax import SyntaxTree, parse
from robbieblocks.messages import nearest

# A file that starts an app in the browser, which a page does here.
_STARTS: Final = ("react-dom/client", "react-dom")
_ENDINGS: Final = (".tsx", ".ts", ".jsx", ".js", ".mjs")
# TypeScript wants the name of the compiled file in an import.
_COMPILED: Final = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",)}


class SourceModules:
    """The code of a folder, each file read once. Paths are as in `SourceFolder`."""

    def __init__(self, folder: SourceFolder) -> None:
        self.folder = folder
        self.trees: dict[str, SyntaxTree] = {
            path: parse(text, plain_ts=path.endswith(".ts"))
            for path, text in sorted(folder.code.items())
        }

    @cached_property
    def entries(self) -> frozenset[str]:
        """The files that start the app, by calling createRoot or what came before it."""
        return frozenset(
            path
            for path, tree in self.trees.items()
            if any(link.specifier in _STARTS and link.kind == "import" for link in tree.links)
            and any(each in tree.text for each in (b"createRoot", b"hydrateRoot", b"DOM.render("))
            and not tree.exports
        )

    def resolve(self, path: str, specifier: str) -> str | None:
        """The file that an import in `path` means; None for a package, and for one that is not."""
        plain = specifier.partition("?")[0]
        places = [place for place in self._places(path, plain) if not place.startswith("../")]
        return next((file for place in places if (file := self._file(place)) is not None), None)

    def is_local(self, specifier: str) -> bool:
        """Whether an import means a file, there or not, by how it is written."""
        if specifier.startswith((".", "/")):
            return True
        return any(
            _stands_for(pattern, specifier) is not None
            for pattern in self.folder.aliases
            if pattern != "*"
        )

    def like(self, specifier: str) -> str:
        """The file whose name is most like that of an import which means none; or nothing."""
        wanted = posixpath.basename(specifier).lower()
        same = [
            file
            for file in sorted(self.folder.files)
            if wanted in (posixpath.basename(file).lower(), _stem(file))
        ]
        stems = {_stem(file): file for file in sorted(self.trees)}
        return next(iter([*same, *(stems[each] for each in nearest(wanted, stems, most=1))]), "")

    def origin(self, path: str, name: str) -> tuple[str, str]:
        """The file and the name from which `path` has what it exports as `name`.

        Only files that hand on what others export (barrels) are looked through.
        """
        seen: set[tuple[str, str]] = set()
        while (path, name) not in seen:
            seen.add((path, name))
            further = self._handed_on(path, name)
            if further is None:
                break
            path, name = further
        return path, name

    def _handed_on(self, path: str, name: str) -> tuple[str, str] | None:
        tree = self.trees.get(path)
        if tree is None or not tree.is_barrel:
            return None
        wanted = tree.exports.get(name) or name
        for link in tree.links:
            for each in link.names:
                if each.local != (wanted if link.kind == "import" else name):
                    continue
                target = self.resolve(path, link.specifier)
                if each.imported == "*" or target not in self.trees:
                    return None
                return target, each.imported
        found = self._through_stars(path, name) if name != "default" else None
        return None if found is None else (found, name)

    def _through_stars(self, path: str, name: str) -> str | None:
        """The file from which a barrel has a name by `export *`, behind further barrels too."""
        seen = {path}
        # Beside each file the first on the way to it that is no barrel: that one is not left out.
        pending: list[tuple[str, str | None]] = [(path, None)]
        while pending:
            place, first = pending.pop()
            tree = self.trees[place]
            if place != path and (name in tree.exports or name in tree.types):
                return first or place
            first = first or (None if tree.is_barrel else place)
            for link in reversed(tree.stars):
                target = self.resolve(place, link.specifier)
                if target in self.trees and target not in seen:
                    seen.add(target)
                    pending.append((target, first))
        return None

    def exporting(self, name: str) -> list[str]:
        """The files that export a value of that name and do not only hand it on."""
        return [
            path
            for path, tree in self.trees.items()
            if name in tree.exports and not tree.is_barrel and path not in self.entries
        ]

    def _places(self, path: str, specifier: str) -> Iterator[str]:
        if specifier.startswith("."):
            yield posixpath.normpath(posixpath.join(posixpath.dirname(path), specifier))
            return
        # The most exact pattern is tried first, as TypeScript does.
        for pattern in sorted(self.folder.aliases, key=lambda each: -len(each.partition("*")[0])):
            rest = _stands_for(pattern, specifier)
            if rest is not None:
                for place in self.folder.aliases[pattern]:
                    yield posixpath.normpath(place.replace("*", rest, 1))

    def _file(self, place: str) -> str | None:
        place = "" if place == "." else place  # the folder itself, whose index may be meant
        stem, ending = posixpath.splitext(place)
        names = [place, *(place + each for each in _ENDINGS)]
        names += [stem + each for each in _COMPILED.get(ending, ())]
        names += [posixpath.join(place, f"index{each}") for each in _ENDINGS]
        return next((name for name in names if name in self.folder.files), None)


def _stands_for(pattern: str, specifier: str) -> str | None:
    """What the `*` of a pattern stands for in a specifier; None where it doesn't match."""
    before, star, after = pattern.partition("*")
    if not star:
        return "" if specifier == pattern else None
    fits = specifier.startswith(before) and specifier.endswith(after)
    return specifier[len(before) : len(specifier) - len(after)] if fits else None


def _stem(file: str) -> str:
    return posixpath.splitext(posixpath.basename(file))[0].lower()
