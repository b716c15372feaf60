"""Sealing: what opens a secret, what does not, and that no message shows a value or a key."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from robbieblocks.errors import ContentError, UsageError
from robbieblocks.sealed_secrets import VARIABLE, Keyring, SecretName, new_key, opened, sealed
from robbieblocks.settings import resource_dir

_NAME = SecretName(service="mail", key_name="token", scope="town", scope_id="aurora")
_VALUE = "hunter2"


def _keyring(monkeypatch: pytest.MonkeyPatch, *entries: str) -> Keyring:
    monkeypatch.setenv(VARIABLE, " ".join(entries))
    return Keyring.from_environment()


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    """A keyring of one new key."""
    return _keyring(monkeypatch, new_key())


@pytest.mark.parametrize("value", ["x", _VALUE, "äß\n\0 ", "-----\nlong\n" * 5_000])
def test_what_is_sealed_opens(value: str, keyring: Keyring) -> None:
    """Every text comes back as it was, and never looks the same twice."""
    first, second = (sealed(value, _NAME, keyring) for _ in range(2))
    assert first != second
    assert opened(first, _NAME, keyring) == opened(second, _NAME, keyring) == value


def test_the_table_takes_what_is_sealed(keyring: Keyring) -> None:
    """The form that the schema's check asks for is the one that sealing has, down to one byte."""
    file = resource_dir("schema") / "unified-schema" / "14-service_tables.sql"
    form = re.search(r"stored ~ '(\^rbs1:.*?\$)'", file.read_text(encoding="utf-8"))
    assert form
    assert re.search(form[1], sealed("", _NAME, keyring))
    assert re.search(form[1], sealed("x" * 10_000, _NAME, keyring))


@pytest.mark.parametrize(
    "change",
    [
        {"service": "mails"},
        {"key_name": "other"},
        {"scope": "user"},
        {"scope_id": "fluenti"},
        # Not what stands where a name ends decides.
        {"service": "mail/token", "key_name": ""},
    ],
)
def test_in_another_row_it_does_not_open(change: dict[str, str], keyring: Keyring) -> None:
    """A value that somebody copied to a name of his own is refused."""
    with pytest.raises(ContentError, match="altered or moved"):
        opened(sealed(_VALUE, _NAME, keyring), replace(_NAME, **change), keyring)


def test_an_altered_value_does_not_open(keyring: Keyring) -> None:
    """Whichever of its characters is another one."""
    stored = sealed(_VALUE, _NAME, keyring)
    start = stored.rindex(":") + 1
    # The last character has bits that decode to nothing.
    for place in range(start, len(stored) - 1):
        other = "A" if stored[place] != "A" else "B"
        with pytest.raises(ContentError, match="does not open"):
            opened(stored[:place] + other + stored[place + 1 :], _NAME, keyring)


def test_the_first_key_seals_and_each_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the key that sealed it, the error names that key by its id alone."""
    old, new = new_key(), new_key()
    before = sealed(_VALUE, _NAME, _keyring(monkeypatch, old))
    both = _keyring(monkeypatch, new, old)
    after = sealed(_VALUE, _NAME, both)
    assert after.startswith(f"rbs1:{new.partition(':')[0]}:")
    assert opened(before, _NAME, both) == opened(after, _NAME, both) == _VALUE
    with pytest.raises(ContentError, match=f"the key {old.partition(':')[0]} is not there"):
        opened(before, _NAME, _keyring(monkeypatch, new))


@pytest.mark.parametrize("stored", ["hunter2", "rbs1:a:hunter2", "", "rbs1:" + "A" * 60])
def test_what_is_not_sealed_is_not_shown(stored: str, keyring: Keyring) -> None:
    """An earlier program's plain text is told by its row, and what to do."""
    with pytest.raises(ContentError) as refused:
        opened(stored, _NAME, keyring)
    assert "secret mail/token of town aurora: it is not sealed" in str(refused.value)
    assert "robbieblocks secrets set" in str(refused.value)
    assert "hunter2" not in str(refused.value)


_KEY = "SeCrEtKeY" * 5


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("", "is not set"),
        (_KEY, "entry 1 does not begin with an id"),
        (f"a:{_KEY}", "the key a is not 256 bits"),
        (f"A:{_KEY}", "entry 1 does not begin with an id"),
        (f"{'a' * 33}:{_KEY}", "entry 1 does not begin with an id"),
        ("a:" + "A" * 43 + " a:" + "B" * 43, "has two keys a"),
        ("a:" + "A" * 43 + f" b:{_KEY}", "the key b is not 256 bits"),
        ("a:" + "A" * 42 + "*", "the key a is not 256 bits"),
    ],
)
def test_a_wrong_keyring_is_told_without_its_keys(
    entries: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with which entry, and how to make one."""
    with pytest.raises(UsageError, match=said) as refused:
        _keyring(monkeypatch, entries)
    assert _KEY not in str(refused.value)


def test_without_the_package_that_seals_it_is_named() -> None:
    """An installation without the extra is told how to get it, and exits with 2."""
    code = (
        "import sys; sys.modules['cryptography'] = None; sys.argv[1:] = ['secrets', 'new-key']\n"
        "from robbieblocks.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "pip install 'robbieblocks[secrets]'" in done.stderr
    assert done.stdout == ""


def test_a_keyring_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where it is printed, as in a traceback."""
    entry = new_key()
    shown = repr(_keyring(monkeypatch, entry))
    assert entry.partition(":")[2] not in shown
    assert "AESGCM" not in shown
