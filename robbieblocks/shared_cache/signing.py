"""Signs entries by node, and believes those alone that an admitted node signed.

Ed25519 (RFC 8032). The keys lie beside the cache: this installation's own, and the public ones that
the master of a sync gave last. Without a master nothing is signed: nobody admits nodes.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from robbieblocks.errors import SiteUnavailable, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_OWN_FILE: Final = "shared-signing.key"
_NODES_FILE: Final = "shared-nodes.json"
_KEY_BYTES: Final = 32
STAMP_BYTES: Final = 96
_NO_STAMP: Final = bytes(STAMP_BYTES)


class Signing:
    """The keys of a cache's folder, read again where `sync run` has written others.

    Where the installation `has_master` and no keys are there yet, it believes itself alone.
    """

    def __init__(self, folder: Path, *, has_master: bool = False) -> None:
        self._folder = folder
        self._has_master = has_master
        self._read_at: tuple[int, int] | None = None
        self._believed: frozenset[bytes] | None = None
        self._private: Ed25519PrivateKey | None = None

    def stamp(self, message: bytes) -> bytes:
        """The public key and the signature of this installation; zeros where there is no master.

        Raises as `public_key`.
        """
        if self._keys() is None:
            return _NO_STAMP
        self._private = self._private or _private(self._folder)
        return self._private.public_key().public_bytes_raw() + self._private.sign(message)

    def signer(self, stamp: bytes) -> bytes | None:
        """The public key of a stamp; None where nobody signed, or no master says who may."""
        return None if stamp == _NO_STAMP or self._keys() is None else stamp[:_KEY_BYTES]

    def knows(self, public: bytes) -> bool:
        """Whether a key is one of an admitted node, as `sync run` says now."""
        return public in (self._keys() or ())

    def believes(self, stamp: bytes, message: bytes) -> bool:
        """Whether an admitted node signed this; whatever it is, where there is no master."""
        believed = self._keys()
        if believed is None:
            return True
        public, signature = stamp[:_KEY_BYTES], stamp[_KEY_BYTES:]
        if public not in believed:
            return False
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        except ImportError:
            # `sync run` tells that it is missing.
            return False
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def _keys(self) -> frozenset[bytes] | None:
        path = self._folder / _NODES_FILE
        try:
            found = path.stat()
        except FileNotFoundError:
            self._read_at = self._believed = None
            return self._own_key() if self._has_master else None
        except OSError:
            return frozenset()
        if self._read_at != (found.st_mtime_ns, found.st_ino):
            # Of a file that can't be read nobody is believed.
            believed = frozenset[bytes]()
            with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
                given = json.loads(path.read_bytes())
                believed = frozenset(bytes.fromhex(each) for each in given.values())
            self._believed = believed
            self._read_at = (found.st_mtime_ns, found.st_ino)
        return self._believed

    def _own_key(self) -> frozenset[bytes]:
        try:
            self._private = self._private or _private(self._folder)
        except (UsageError, SiteUnavailable):
            # Whoever signs is told.
            return frozenset()
        return frozenset({self._private.public_key().public_bytes_raw()})


def public_key(folder: Path) -> str:
    """The public key of the installation with this cache, in hexadecimal; made where it has none.

    Raises UsageError without the package, and SiteUnavailable where the folder can't be written.
    """
    return _private(folder).public_key().public_bytes_raw().hex()


def _private(folder: Path) -> Ed25519PrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError as error:
        raise UsageError(
            "nodes that share results sign them, and the package cryptography is missing\n"
            "  -> pip install 'robbieblocks[bucket]'"
        ) from error
    try:
        return Ed25519PrivateKey.from_private_bytes(_own(folder))
    except (OSError, ValueError) as error:
        raise SiteUnavailable(
            f"{folder / _OWN_FILE} can't be read or made: {error}\n"
            "  -> remove it, and let this user write into the folder"
        ) from error


def believe(folder: Path, keys: Mapping[str, str]) -> None:
    """Note the public keys of the nodes that are admitted, by node, for all processes here.

    Raises SiteUnavailable.
    """
    path = folder / _NODES_FILE
    content = json.dumps(dict(sorted(keys.items()))).encode()
    try:
        with contextlib.suppress(FileNotFoundError):
            if path.read_bytes() == content:
                return
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = path.with_name(f"{path.name}.{os.getpid()}")
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        raise SiteUnavailable(
            f"{path} can't be written: {error}\n  -> let this user write there"
        ) from error


def forget(folder: Path) -> None:
    """Have nothing signed any more: this installation has no master."""
    with contextlib.suppress(OSError):
        (folder / _NODES_FILE).unlink()


def _own(folder: Path) -> bytes:
    """The secret key; of two processes that make one at once, the first one's."""
    path = folder / _OWN_FILE
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(os.urandom(_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(aside, path)
    aside.unlink()
    return path.read_bytes()
