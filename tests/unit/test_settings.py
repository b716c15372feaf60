"""Settings: what the environment and the project's file say, and what the reference says of it."""

from __future__ import annotations

import re
from operator import attrgetter
from pathlib import Path

import pytest

from robbieblocks.check_rules import RULES
from robbieblocks.errors import UsageError
from robbieblocks.settings import SETTINGS, Address, Settings, resource_dir

ROOT = Path(__file__).resolve().parents[2]
# Set by a process for its children, and by nobody else.
# What the program tells its own children, and the commands that `bisect` runs.
INTERNAL = {
    "ROBBIEBLOCKS_PARENT_PID",
    "ROBBIEBLOCKS_BISECT_FOLDER",
    "ROBBIEBLOCKS_BISECT_PAGE",
}
VARIABLES = [setting.variable for setting in SETTINGS if setting.variable]


def test_the_reference_has_every_setting() -> None:
    """It has each ROBBIEBLOCKS_... of the package once."""
    text = "".join(path.read_text() for path in (ROOT / "robbieblocks").rglob("*.py"))
    named = set(re.findall(r"\bROBBIEBLOCKS_[A-Z_]*[A-Z]", text))
    assert sorted(VARIABLES) == sorted(named - INTERNAL)


@pytest.mark.parametrize("document", ["settings.md", "checks.md"])
def test_examples_of_the_file_can_be_read(document: str, project: Path) -> None:
    """Each of a document is a project's file without a mistake."""
    text = (ROOT / "docs" / document).read_text()
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        (project / "robbieblocks.toml").write_text(example)
        assert Settings.from_environment().project == project / "robbieblocks.toml"


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project's folder, while the current one is far below it and nothing is set."""
    for name in (*VARIABLES, "PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    below = tmp_path / "content" / "pages"
    below.mkdir(parents=True)
    (tmp_path / "robbieblocks.toml").touch()
    monkeypatch.chdir(below)
    return tmp_path


def test_a_project_is_found_from_any_folder_in_it(project: Path) -> None:
    """Its folders, and its embedded database's, lie beside the nearest file above."""
    settings = Settings.from_environment()
    assert settings.project == project / "robbieblocks.toml"
    assert settings.home == project / ".robbieblocks"
    assert settings.site_root == project / ".robbieblocks" / "site"
    assert settings.content == project / "content"
    assert settings.node_branding == project / "node_branding"
    assert settings.templates == (resource_dir("templates"),)
    (project / "templates").mkdir()
    templates = (project / "templates", resource_dir("templates"))
    assert Settings.from_environment().templates == templates


KEYS = {setting.key: setting.variable for setting in SETTINGS if setting.key and setting.variable}
FIELDS = {"project.content": "content", "project.templates": "templates", "site.root": "site_root"}
FIELDS |= {"project.node_branding": "node_branding", "database.url": "database_url"}
FIELDS |= {"site.smoke_url": "smoke_url", "worker.health": "health", "sync.master": "sync.master"}


@pytest.mark.parametrize("key", KEYS)
def test_each_key_is_overridden_by_its_variable(
    project: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """The key sets its own field, relative to the file; the variable wins, and counts from here."""
    table, _, name = key.partition(".")
    before = Settings.from_environment()
    (project / "robbieblocks.toml").write_text(f'[{table}]\n{name} = "from/file"\n')
    named = attrgetter(FIELDS[key])(Settings.from_environment())
    named = named[0] if isinstance(named, tuple) else named
    assert named == (project / "from/file" if isinstance(named, Path) else "from/file")
    monkeypatch.setenv(KEYS[key], "there")
    settings = Settings.from_environment()
    named = attrgetter(FIELDS[key])(settings)
    named = named[0] if isinstance(named, tuple) else named
    assert named == (Path.cwd() / "there" if isinstance(named, Path) else "there")
    for field in FIELDS.values():
        is_same = attrgetter(field)(settings) == attrgetter(field)(before)
        assert is_same == (field != FIELDS[key])


@pytest.mark.parametrize("variable", ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"])
def test_a_database_is_named_by_option_variable_libpq_and_file_in_this_order(
    project: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Each overrides those behind it."""
    (project / "robbieblocks.toml").write_text('database.url = "file"')
    assert Settings.from_environment().database_url == "file"
    monkeypatch.setenv("PGUSER", "me")
    assert Settings.from_environment().database_url == "file"
    monkeypatch.setenv(variable, "libpq")
    assert Settings.from_environment().database_url is None
    monkeypatch.setenv("ROBBIEBLOCKS_DATABASE_URL", "variable")
    assert Settings.from_environment().database_url == "variable"
    assert Settings.from_environment(database_url="option").database_url == "option"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[site]\nrot = '/srv'", r"line 2: rot is unknown here\n.*\n  -> did you mean root\?"),
        ("\n[sites]\nroot = '/srv'", r"line 2: sites is unknown here\n.*\n  -> did you mean site"),
        ("[site]\n\nroot = 1", r"line 3: root must be a string, e.g. root = "),
        (
            "[site]\nkeep_days = '7'",
            r"line 2: keep_days must be a whole number, e.g. keep_days = 1",
        ),
        ("[site]\nkeep_releases = 0", r"line 2: keep_releases is 0.*\n.*\n.*from 1 to 10000"),
        ("[site]\nkeep_assets_days = 4000", r"keep_assets_days is 4000.*\n.*\n.*from 0 to 3650"),
        ("[site]\nkeep_releases = true", r"keep_releases must be a whole number"),
        ("site = 'x'", r"line 1: site must be a table: \[site\]"),
        ("[site]\nroot = ", r"line 2.*: is not valid TOML"),
        ("[site]\nroot = '\0'", r"NUL"),
        ("[site]\nroot = '\udcff'", r"not UTF-8"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(project: Path, text: str, told: str) -> None:
    """The error names the file, the line, and what would be right."""
    file = project / "robbieblocks.toml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UsageError, match=told) as raised:
        Settings.from_environment()
    assert f"file {file}" in str(raised.value)


def test_numbers_of_the_file_are_read(project: Path) -> None:
    """One that is not there has its default; 0 is a number, too."""
    (project / "robbieblocks.toml").write_text("[site]\nkeep_releases = 12\nkeep_days = 0")
    settings = Settings.from_environment()
    found = (settings.keep_releases, settings.keep_days, settings.keep_assets_days)
    assert found == (12, 0, 7)


def test_relative_folders_count_from_the_current_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every folder is absolute, and those in the home move with it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROBBIEBLOCKS_HOME", "home")
    monkeypatch.setenv("ROBBIEBLOCKS_CACHE", "elsewhere")
    monkeypatch.delenv("ROBBIEBLOCKS_SITE_ROOT", raising=False)
    settings = Settings.from_environment()
    assert settings.site_root == tmp_path / "home" / "site"
    assert settings.cache == tmp_path / "elsewhere"


def test_a_current_folder_that_is_gone_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another terminal has removed it: a usage error, not a traceback."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match="the current folder can't be read"):
        Settings.from_environment()


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable leaves the default."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    settings = Settings.from_environment()
    assert (settings.database_url, settings.health, settings.smoke_url) == (None, None, None)
    assert settings.home == Path(".robbieblocks").absolute()
    assert settings.templates == (resource_dir("templates"),)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('build-warnin = "off"', "build-warnin is unknown here"),
        ('build-warning = "of"', 'build-warning is "of"\n'),
    ],
)
def test_a_misspelt_rule_or_level_names_the_line_and_what_is_like_it(
    project: Path, line: str, error: str
) -> None:
    """A rule whose level nobody reads would be silent."""
    (project / "robbieblocks.toml").write_text(f"[checks]\n{line}\n")
    with pytest.raises(UsageError) as raised:
        Settings.from_environment()
    told = str(raised.value)
    assert error in told
    assert "line 2" in told
    assert "did you mean" in told


def test_a_level_of_the_file_takes_the_place_of_the_rule_s_own(project: Path) -> None:
    """The other rules keep theirs."""
    (project / "robbieblocks.toml").write_text('[checks]\nbuild-warning = "off"\n')
    levels = {rule.name: rule.level for rule in RULES}
    assert Settings.from_environment().checks == {**levels, "build-warning": "off"}


@pytest.mark.parametrize(
    "line",
    [
        'n = "play.example.org"',
        'n = "ftp://play.example.org"',
        'n = "https://play.example.org/site"',
        'n = "https://play.example.org?x"',
        'n = "https://me:secret@play.example.org"',
        'n = "https://play.example.org:0"',
        'n = "https://play.example.org:70000"',
        'n = "https://a b"',
        "n = 1",
    ],
)
@pytest.mark.parametrize("table", ["urls", "origins"])
def test_an_address_of_a_node_has_a_host_and_no_path(project: Path, table: str, line: str) -> None:
    """A page's route is put behind it; what else there is, is named with its line."""
    (project / "robbieblocks.toml").write_text(f"[site.{table}]\n{line}\n")
    with pytest.raises(UsageError, match=r"line [12]"):
        Settings.from_environment()


@pytest.mark.parametrize(
    ("hook", "site", "swaps_back"),
    [
        ("", "", True),
        ('on_publish = ["true"]\n', "", False),
        ('on_publish = ["true"]\n', 'when_not_served = "swap back"\n', True),
        ("", 'when_not_served = "keep"\n', False),
    ],
)
def test_a_release_waits_for_a_cache_that_is_purged(
    project: Path, hook: str, site: str, swaps_back: bool
) -> None:
    """Where a command purges it after each publish, nothing swaps back, unless that is set."""
    (project / "robbieblocks.toml").write_text(
        f'[events]\n{hook}[site]\n{site}[site.urls]\na = "https://a.example.org"\n'
    )
    address = Settings.from_environment().addresses.of("a")
    assert address is not None
    assert address.swap_back == swaps_back


def test_each_node_has_its_own_address(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its origin; the one for all is that of the nodes which have none."""
    assert Settings.from_environment().addresses.of("a") is None
    (project / "robbieblocks.toml").write_text(
        '[site]\ncompare = "build"\nwhen_not_served = "keep"\n'
        '[site.urls]\na = "https://a.example.org/"\n"b.c" = "http://[::1]:8080"\n'
        '[site.origins]\na = "http://127.0.0.1:8080"\n'
    )
    addresses = Settings.from_environment().addresses
    assert addresses.of("a") == Address(
        url="https://a.example.org",
        origin="http://127.0.0.1:8080",
        compare="build",
        swap_back=False,
    )
    assert addresses.of("b.c") == Address(url="http://[::1]:8080", compare="build", swap_back=False)
    assert addresses.of("d") is None
    monkeypatch.setenv("ROBBIEBLOCKS_SMOKE_URL", "http://for.all/")
    addresses = Settings.from_environment().addresses
    found = [addresses.of(node) for node in ("a", "d")]
    assert [each and each.url for each in found] == ["https://a.example.org", "http://for.all"]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('"api" = "http://127.0.0.1:1"', 'has the path "api"'),
        ('"/" = "http://127.0.0.1:1"', 'has the path "/"'),
        ('"/api/" = "http://127.0.0.1:1"', 'has the path "/api/"'),
        ('"/a//b" = "http://127.0.0.1:1"', 'has the path "/a//b"'),
        ('"/a/../b" = "http://127.0.0.1:1"', "has the path"),
        ('"/a b" = "http://127.0.0.1:1"', "has the path"),
        ('"/a$b;" = "http://127.0.0.1:1"', "has the path"),
        ('"/café" = "http://127.0.0.1:1"', "has the path"),
        ('"/_rb/x" = "http://127.0.0.1:1"', "which the server answers itself"),
        ('"/healthz" = "http://127.0.0.1:1"', "which the server answers itself"),
        ('"/api" = "127.0.0.1:1"', "plain HTTP, a host and a port"),
        ('"/api" = "https://127.0.0.1:1"', "plain HTTP, a host and a port"),
        ('"/api" = "http://127.0.0.1"', "plain HTTP, a host and a port"),
        ('"/api" = "http://127.0.0.1:0"', "plain HTTP, a host and a port"),
        ('"/api" = "http://127.0.0.1:70000"', "plain HTTP, a host and a port"),
        ('"/api" = "http://127.0.0.1:1/v1"', "and no path"),
        ('"/api" = "http://me:x@127.0.0.1:1"', "plain HTTP, a host and a port"),
        ('"/api" = "http://a; deny all:1"', "plain HTTP, a host and a port"),
        ('"/api" = 1', "must be a table of strings"),
    ],
)
def test_an_application_is_a_plain_path_and_an_address(
    project: Path, line: str, error: str
) -> None:
    """What could be another word to a web server, or another address, is named with its line."""
    (project / "robbieblocks.toml").write_text(f"[applications]\n{line}\n")
    with pytest.raises(UsageError) as raised:
        Settings.from_environment()
    assert error in str(raised.value)
    assert "line 1" in str(raised.value) or "line 2" in str(raised.value)


def test_applications_are_had_by_their_paths(project: Path) -> None:
    """As the file has them; without the table there are none."""
    assert Settings.from_environment().applications == {}
    given = {"/api": "http://127.0.0.1:8001", "/deep/er-1.0": "http://[::1]:80"}
    lines = "\n".join(f'"{path}" = "{address}"' for path, address in given.items())
    (project / "robbieblocks.toml").write_text(f"[applications]\n{lines}\n")
    assert Settings.from_environment().applications == given


def test_events_are_told_to_nobody_unless_the_file_says_so(project: Path) -> None:
    """Also where it has the table, and nothing in it."""
    assert Settings.from_environment().events is None
    (project / "robbieblocks.toml").write_text("[events]\n")
    assert Settings.from_environment().events is None


def test_webhooks_choose_events_and_nodes(project: Path) -> None:
    """One without a choice is told of all; the command of what went out alone."""
    (project / "robbieblocks.toml").write_text(
        """[events]
        on_publish = ["purge"]
        [[events.webhooks]]
        url = "https://all.example/"
        secret_variable = "S"
        [[events.webhooks]]
        name = "few"
        url_variable = "U"
        format = "slack"
        events = ["run.failed", "pinned"]
        nodes = ["day"]
        """
    )
    told = Settings.from_environment().events
    assert told is not None
    assert told.receivers("run.failed", "day") == ("all.example", "few")
    assert told.receivers("run.failed", "night") == ("all.example",)
    assert told.receivers("pinned", "") == ("all.example", "few")
    assert told.receivers("run.published", "day") == ("all.example", "on_publish")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('secret_variable = "S"', "url is missing"),
        ('url = "https://a.example"', "secret_variable is missing"),
        ('url = "https://a.example"\nurl_variable = "U"', "both given"),
        ('url = "http://a.example"\nsecret_variable = "S"', "has no TLS"),
        ('url = "https://u:p@a.example"\nsecret_variable = "S"', "has a login"),
        ('url = "ftp://a.example"\nsecret_variable = "S"', "no address of the web"),
        ('url = "https://a.example:99999"\nsecret_variable = "S"', "can't be read"),
        ('url = "https://a.example/ x"\nsecret_variable = "S"', "no address of the web"),
        ('url = "https://a.example"\nsecret_variable = "whsec_abc="', "no name of an"),
        ('url = "https://a.example"\nsecret_variable = "S"\nevents = ["run.fail"]', "run.failed"),
        ('url = "https://a.example"\nsecret_variable = "S"\nformat = "slak"', "slack"),
        ('url_variable = "U"\nformat = "slack"', "name is missing"),
        ('url = "https://a.example"\nsecret_variable = "S"\nretries = 3', "unknown here"),
        ('url = "https://a.example"\nsecret_variable = "S"\nname = "on_publish"', "another one"),
    ],
)
def test_a_mistake_of_a_webhook_is_named(project: Path, lines: str, said: str) -> None:
    """With its line, and what to do."""
    (project / "robbieblocks.toml").write_text(f"[[events.webhooks]]\n{lines}\n")
    with pytest.raises(UsageError, match=re.escape(said)) as raised:
        Settings.from_environment()
    assert "robbieblocks.toml, line " in str(raised.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_webhooks_of_this_machine_need_no_tls(project: Path, host: str) -> None:
    """Nor those of which the file says that it is meant."""
    webhook = 'secret_variable = "S"\n'
    (project / "robbieblocks.toml").write_text(
        f'[[events.webhooks]]\nurl = "http://{host}:8080/"\n{webhook}'
        f'[[events.webhooks]]\nurl = "http://a.example"\nallow_http = true\n{webhook}'
    )
    told = Settings.from_environment().events
    assert told is not None
    assert len(told.webhooks) == 2
