"""Secrets of the table `secrets`, sealed before the database sees them.

What is stored is AES-256-GCM's ciphertext, bound to the secret's name: in another row it does not
open. The keys come from the environment (`keyring`); the database has none.
"""

from robbieblocks.sealed_secrets.keyring import VARIABLE, Keyring, new_key
from robbieblocks.sealed_secrets.sealing import SecretName, opened, sealed
from robbieblocks.sealed_secrets.store import Listed, Rotation, delete, get, listed, put, rotate

__all__ = [
    "VARIABLE",
    "Keyring",
    "Listed",
    "Rotation",
    "SecretName",
    "delete",
    "get",
    "listed",
    "new_key",
    "opened",
    "put",
    "rotate",
    "sealed",
]
