"""`robbieblocks doctor` and `templates copy`: all well, each thing broken, templates overridden."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.commands import Installation

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
PLAY = ("--node", "vengeance-local", "--app", "play")


def findings(ran: Any) -> dict[str, dict[str, str]]:
    """What was found, by what it is about; each that is not ok has a remedy."""
    found = json.loads(ran.out)["findings"]
    assert all(each["state"] == "ok" or each["remedy"] for each in found), found
    broken = any(each["state"] == "broken" for each in found)
    assert ran.code == (1 if broken else 0), ran.err
    return {each["about"]: each for each in found}


def test_all_is_well_and_each_setting_has_its_source(
    installation: Installation, tmp_path: Path
) -> None:
    """Exit 0: where the project is, what each setting is and from where; no password is shown, and
    nothing was made."""
    ran = installation.run("build", *PLAY)
    assert ran.code == 0, ran.err
    (tmp_path / "robbieblocks.toml").write_text('[checks]\nunused-component = "off"\n')
    (tmp_path / "below").mkdir()
    secret = {
        "ROBBIEBLOCKS_DATABASE_URL": f"{installation.database_url} password=geheim",
        "ROBBIEBLOCKS_SECRETS_KEYS": "one:geheim",
    }
    ran = installation.run(
        "doctor", "--format", "json", cwd=tmp_path / "below", ROBBIEBLOCKS_SITEROOT="x", **secret
    )
    found = findings(ran)
    assert {each["state"] for each in found.values()} == {"ok", "note"}
    assert found["project"]["what"] == str(tmp_path / "robbieblocks.toml")
    assert "ROBBIEBLOCKS_SITE_ROOT" in found["settings"]["remedy"]
    assert "PostgreSQL 18" in found["database"]["what"]
    assert "vengeance-local" in found["site root"]["what"]
    # The folders of tests are closed to others.
    assert "chmod o+x" in found["web server"]["remedy"]
    settings = {each["setting"]: each for each in json.loads(ran.out)["settings"]}
    assert settings["checks.unused-component"]["source"] == "robbieblocks.toml"
    assert settings["ROBBIEBLOCKS_HOME"]["source"] == "ROBBIEBLOCKS_HOME"
    assert settings["site.root"] == {
        "setting": "site.root",
        "value": str(installation.site),
        "source": "default",
    }
    assert "geheim" not in ran.out + ran.err
    text = installation.run("doctor", cwd=tmp_path, **secret)
    assert text.code == 0
    assert "geheim" not in text.out + text.err
    assert "site.root                    " in text.out
    fresh = Installation(home=tmp_path / "nothing" / "home")
    fresh.home.parent.mkdir()
    found = findings(fresh.run("doctor", "--format", "json"))
    assert "db init" in found["database"]["remedy"]
    assert not fresh.home.exists()


def test_each_broken_thing_is_named_with_its_remedy(
    installation: Installation, tmp_path: Path
) -> None:
    """Another database's site, a schema that lacks something, no server, a cache that others write,
    a missing folder of templates, a file with a mistake: exit 1, and what to do."""

    def broken(about: str, **variables: str) -> dict[str, str]:
        found = findings(installation.run("doctor", "--format", "json", cwd=tmp_path, **variables))
        assert found[about]["state"] == "broken", found
        return found[about]

    installation.site.mkdir(parents=True)
    (installation.site / "site.json").write_text('{"database": "another"}')
    assert "--adopt" in broken("site root")["remedy"]
    (installation.site / "site.json").unlink()
    (installation.site / "loop").symlink_to("loop")
    assert "could not read" in broken("site root")["what"]
    (installation.site / "loop").unlink()
    assert installation.database_url
    with psycopg.connect(installation.database_url) as owner:
        owner.execute("DROP FUNCTION robbieblocks_settle CASCADE")
    assert broken("schema")["remedy"] == "robbieblocks db upgrade"
    assert installation.run("db", "upgrade").code == 0
    with psycopg.connect(installation.database_url) as owner:
        owner.execute("ALTER TABLE robbieblocks_pages DISABLE TRIGGER USER")
    ran = installation.run("doctor", "--format", "json", cwd=tmp_path)
    (told,) = [each for each in json.loads(ran.out)["findings"] if each["state"] == "broken"]
    assert (told["about"], "nothing is published" in told["why"]) == ("triggers", True)
    assert "robbieblocks_pages.robbieblocks_capture_delete" in told["what"]
    with psycopg.connect(installation.database_url) as owner:
        owner.execute("ALTER TABLE robbieblocks_pages ENABLE TRIGGER USER")
    (installation.home / "cache").chmod(0o777)
    assert "0700" in broken("cache")["remedy"]
    (installation.home / "cache").chmod(0o700)
    folder = str(tmp_path / "nowhere")
    with psycopg.connect(installation.database_url) as owner:
        owner.execute("ALTER SCHEMA public RENAME TO other")
        owner.execute("CREATE SCHEMA public")
    ran = installation.run("doctor", "--format", "json", cwd=tmp_path)
    listed = [each for each in json.loads(ran.out)["findings"] if each["about"] == "schema"]
    assert len(listed) == 4, listed
    assert "db verify has each" in listed[-1]["remedy"]
    with psycopg.connect(installation.database_url) as owner:
        owner.execute("DROP SCHEMA public")
        owner.execute("ALTER SCHEMA other RENAME TO public")
    assert folder in broken("templates", ROBBIEBLOCKS_TEMPLATES=folder)["what"]
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "base.css").symlink_to("/etc/hosts")
    led_out = broken("templates", ROBBIEBLOCKS_TEMPLATES=str(tmp_path / "own"))
    assert "base.css can't be read: it is a symlink that leads out" in led_out["what"]
    nobody = "postgresql://ed:geheim@127.0.0.1:1/cms"
    gone = broken("database", ROBBIEBLOCKS_DATABASE_URL=nobody)
    assert "127.0.0.1 port 1" in gone["what"]
    assert "geheim" not in str(gone)
    assert findings(installation.run("doctor", "--format", "json", cwd=tmp_path))["schema"]
    (tmp_path / "robbieblocks.toml").write_text("[site]\nrot = 'x'\n")
    assert "root" in broken("settings")["remedy"]


def test_a_copied_template_changes_no_page_and_knows_what_it_was_copied_from(
    installation: Installation, tmp_path: Path
) -> None:
    """With copies of all templates a build publishes nothing; `doctor` tells a copy that is as it
    was, one of which the package's has changed since, and one that nobody knows the origin of."""
    own = tmp_path / "templates"
    overlaid = replace(installation, variables={"ROBBIEBLOCKS_TEMPLATES": str(own)})
    built = installation.run("build", *PLAY)
    assert built.code == 0, built.err
    packaged = ROOT / "templates"
    names = [str(path.relative_to(packaged)) for path in packaged.rglob("*") if path.is_file()]
    copied = overlaid.run("templates", "copy", *names)
    assert (copied.code, len(copied.out.splitlines())) == (0, len(names)), copied.err
    again = overlaid.run("build", *PLAY)
    assert "play  unchanged" in again.out, again.out + again.err
    told = overlaid.run("templates", "copy", "base.css")
    assert (told.code, "is there already" in told.error) == (2, True)
    told = overlaid.run("templates", "copy", "bse.css")
    assert (told.code, "did you mean base.css" in told.error) == (2, True)
    told = installation.run("templates", "copy", "base.css")
    assert (told.code, "robbieblocks new" in told.error) == (2, True)

    first, rest = (own / "layout.css").read_text().split("\n", 1)
    (own / "layout.css").write_text(f"{first.replace(_digest(first), '0' * 64)}\n{rest}")
    _, rest = (own / "404.html.j2").read_text().split("\n", 1)
    (own / "404.html.j2").write_text(f"{rest}<!-- mine -->")
    (own / "page.html.j2").write_text((own / "page.html.j2").read_text() + "<!-- mine -->")
    ran = overlaid.run("doctor")
    assert ran.code == 0, ran.out
    for said in (
        "base.css is the package's, unchanged\n",
        "layout.css was copied from 0.1.0, and the package's has changed since\n",
        "404.html.j2 takes the place of the package's; what it was copied from is not known\n",
        "page.html.j2 was copied from 0.1.0, which is as it was\n",
    ):
        assert said in ran.out
    assert "site.css" not in ran.out
    assert f"diff {packaged / 'layout.css'} {own / 'layout.css'}\n" in ran.out


def _digest(line: str) -> str:
    return line.split("sha256 ")[1][:64]
