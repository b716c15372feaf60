"""Reviews of a git project with the seed content: what each kind of branch changes, and why."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, LiteralString

import jsonschema_rs
import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from syrupy.assertion import SnapshotAssertion

from robbieblocks import checks, content, snapshot
from robbieblocks import database as rows
from robbieblocks.checks import run as run_checks
from robbieblocks.content.reading import page_files
from robbieblocks.errors import UsageError
from robbieblocks.pipeline import BuildContext
from robbieblocks.review import Asked, Reviewed, as_markdown, as_object, as_text, review
from robbieblocks.settings import Settings, resource_dir
from robbieblocks.source_files import parse_toml
from tests.building import NOW, Builder, MakeBuilder
from tests.commands import Installation

_TABLE = "content/pages/robbie-play-blackjack.toml"
_HERO = "content/components/page-hero/component.tsx"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        [
            "git",
            *("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "init.defaultBranch=main"),
            *("-c", "protocol.file.allow=always"),
            *arguments,
        ],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@dataclass
class Project:
    """A project in a repository, of which the first commit has the seed content."""

    folder: Path
    settings: Settings
    context: BuildContext

    def edit(self, file: str, old: str, new: str) -> None:
        text = (self.folder / file).read_text()
        assert old in text
        (self.folder / file).write_text(text.replace(old, new, 1))

    def review(
        self,
        against: str = "main",
        connect: Callable[[], AbstractContextManager[Connection]] | None = None,
        **asked: Any,
    ) -> Reviewed:
        def no_database() -> AbstractContextManager[Connection]:
            raise AssertionError("files need no database")

        return review(
            replace(Asked(against=against), **asked),
            settings=self.settings,
            context=self.context,
            connect=connect or no_database,
            now=NOW,
            progress=lambda _: None,
        )

    def text(self, **asked: Any) -> list[str]:
        """The text without its base and its hash, which depend on the toolchain."""
        lines = as_text(self.review(**asked).review).split("\n")
        return [line for line in lines if not line.startswith(("against ", "plan ")) and line]


@pytest.fixture(scope="module")
def seed_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seed") / "project"
    shutil.copytree(resource_dir("schema") / "content", folder / "content")
    shutil.copytree(resource_dir("node_branding"), folder / "node_branding")
    layout = resource_dir("templates") / "layouts" / "single-column.html.j2"
    (folder / "templates" / "layouts").mkdir(parents=True)
    shutil.copy(layout, folder / "templates" / "layouts")
    (folder / "robbieblocks.toml").write_text('[project]\nname = "seed"\n')
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    return folder


@pytest.fixture(scope="module")
def context(warm_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuildContext]:
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(warm_cache, home / "cache")
    settings = replace(
        Settings.from_environment(), home=home, site_root=home / "site", cache=home / "cache"
    )
    with BuildContext.open(settings, lambda _: None) as opened:
        yield opened


@pytest.fixture
def project(tmp_path: Path, seed_repository: Path, context: BuildContext) -> Project:
    folder = tmp_path / "repository"
    shutil.copytree(seed_repository, folder)
    # The context has what the review before this one was asked with.
    settings = replace(context.settings, styles="auto")
    return Project(folder, of_project(settings, folder), context)


def of_project(settings: Settings, folder: Path) -> Settings:
    return replace(
        settings,
        project=folder / "robbieblocks.toml",
        content=folder / "content",
        node_branding=folder / "node_branding",
        templates=(folder / "templates", resource_dir("templates")),
    )


def delete_about(content_folder: Path) -> None:
    """Delete a page with the text that it names: alone, the text would be a mistake."""
    for name in ("robbie-about.toml", "how-a-page-gets-here.md"):
        (content_folder / "pages" / name).unlink()


def test_nothing_changed_is_said_in_one_line_and_not_in_json(project: Project) -> None:
    made = project.review().review
    assert as_text(made) == "Nothing changes for visitors: every page comes out byte-identical"
    assert as_object(made)["changed"] is False


def test_a_comment_is_written_where_something_changes_and_none_else(
    project: Project, context: BuildContext
) -> None:
    """What an earlier run left in the file is gone either way."""
    ran = Installation(home=context.settings.home)
    project.edit(_TABLE, 'title = "Blackjack with', 'title = "Twenty-one with')
    comment = project.folder.parent / "comment.md"
    words = ("preview", "--against", "main", "--node", "vengeance-local", "--comment-file", comment)
    made = ran.run(*words, "--format", "markdown", cwd=project.folder)
    assert made.code == 0, made.err
    text = comment.read_text()
    assert text.startswith("<!-- robbieblocks-preview -->\n### Pages&#58; 1 changed")
    commit = git(project.folder, "rev-parse", "main")[:12]
    # In another clone a name, such as HEAD^1 of the commit that a forge made, is another commit.
    assert f"\nrobbieblocks preview --against {commit} --node vengeance-local\n" in text
    git(project.folder, "checkout", ".")
    none = ran.run(*words, cwd=project.folder)
    assert "is empty: nothing changes" in none.err
    assert comment.read_text() == ""
    nowhere = ("preview", "--against", "nowhere", "--comment-file")
    assert ran.run(*nowhere, comment, cwd=project.folder).code == 2
    assert not comment.exists(), "an empty one would say that nothing changes"
    comment.symlink_to("/dev/null")
    ran.run(*nowhere, comment, cwd=project.folder)
    assert comment.is_symlink(), "a device is not ours to remove"
    refused = ran.run("preview", "--comment-file", "nowhere/comment.md", cwd=project.folder)
    assert "nowhere/comment.md can't be written" in refused.error


def test_a_comment_in_code_changes_nothing(project: Project) -> None:
    _comment_in_code(project)
    assert project.text() == [
        "Nothing changes for visitors: every page comes out byte-identical (1 row differs)"
    ]


@pytest.mark.parametrize("styles", ["auto", "fixed"])
def test_branding_changes_the_pages_of_its_node(project: Project, styles: Any) -> None:
    """Also where it is their stylesheet's bytes that change, and not their own."""
    project.settings = replace(project.settings, styles=styles)
    _branding(project)
    # The styles that stand in a page are weighed with it: a shorter colour saves bytes.
    assert [re.sub(r"  css [\d.]+ kB \([+-]\d+ B\)$", "", line) for line in project.text()] == [
        "Pages: 4 changed, on vengeance-local",
        "Token color.primary touches 4 pages on vengeance-local: all change",
        "    changed    robbie-code-home  /code/  vengeance-local",
        "    changed    robbie-play-blackjack  /play/blackjack  vengeance-local",
        "    changed    robbie-play-home  /play/  vengeance-local",
        "    changed    robbie-about  /about  vengeance-local",
        "What differs:",
        "~ node vengeance-local",
        "    overrides.color.primary: #ff4fa3 -> #ff0000",
    ]


def test_a_frame_that_is_asked_for_is_the_pages_that_it_is_around(project: Project) -> None:
    """It has no page of its own, on which its effect could be told."""
    (project.folder / "content/pages/menu.toml").write_text(
        'name = "Menu"\napp = "code"\n[metadata]\nframe = true\n'
        '[[blocks]]\norder = 1\nzone = "header"\ncomponent = "page-hero"\n'
        '[blocks.props]\ntitle = "Menu"\n'
    )
    for asked in ("menu", "robbie-code-home"):
        made = project.review(pages=(asked,)).review
        assert {(page.key, page.effect) for page in made.pages} == {("robbie-code-home", "changed")}
    assert not project.review(pages=("robbie-play-home",)).review.pages


def test_a_template_changes_the_pages_of_its_layout(project: Project) -> None:
    _template(project)
    said = project.text(nodes=("vengeance-local",), apps=("play",))
    assert said[0].startswith("Pages: 1 changed, 1 byte-identical, on vengeance-local")
    assert said[1].startswith("Template touches 2 pages on vengeance-local: 1 changes, 1 comes out")


def test_a_template_in_place_of_one_of_the_programs_is_compared_with_it(project: Project) -> None:
    """What it says otherwise is shown; an equal copy, and what is no template, are nothing."""
    theirs = resource_dir("templates") / "layouts" / "sidebar-left.html.j2"
    own = project.folder / "templates" / "layouts" / theirs.name
    shutil.copy(theirs, own)
    (project.folder / "templates" / "NOTES.md").write_text("no template\n")
    assert not project.review().review.changed
    own.write_text(own.read_text() + "<p>own</p>\n")
    (row,) = (row for row in project.review().review.rows if row.key.startswith("layouts/"))
    assert (row.change, row.fields[0].before) == ("changed", theirs.read_text())


def test_a_broken_component_holds_its_pages_back(project: Project) -> None:
    _broken_component(project)
    made = project.review().review
    assert made.counts["held back"] == len(made.pages) > 0
    # They stay as they are, with what they load.
    assert all(
        each.before == each.after
        for page in made.pages
        for each in (page.html, page.scripts, page.styles)
    )
    assert as_text(made).split("\n")[0].endswith("; 1 new error")
    assert "Component page-hero touches 5 pages on 4 nodes: all are held back" in as_text(made)


def test_a_page_that_moves_is_told_with_the_redirect_to_add(project: Project) -> None:
    """The finding is new against the base, and names the nodes only where not all show it."""
    project.edit(_TABLE, 'route = "/play/blackjack"', 'route = "/play/cards"')
    moved = [each for each in project.review().review.findings if each.rule == "moved-page"]
    (told,) = [each.problem for each in moved]
    assert told.key == "robbie-play-blackjack"
    assert told.remedy == 'in its metadata: redirect_from = ["/play/blackjack"]'


def test_a_token_that_changes_nothing_that_is_seen(project: Project) -> None:
    _unseen_token(project)
    assert project.text() == [
        "No page changes (1 row differs)",
        "What differs:",
        "~ token color.primary",
        "    value: #1f5fa8 -> #123456",
    ]


def test_a_deleted_page_is_told_first_with_its_dead_links_and_the_brake(project: Project) -> None:
    delete_about(project.folder / "content")
    made = project.review().review
    lines = as_text(made).split("\n")
    assert lines[3].startswith("! robbie-about is removed from aurora-town-local,")
    assert "the brake holds shared on aurora-town-local" in lines[4]
    assert {each.rule for each in made.findings} == {"dead-link", "unused-component"}
    markdown = as_markdown(made)
    assert markdown.index("**robbie&#45;about is removed") < markdown.index("| page |")
    assert markdown.count("no page of the node has the address /about") == 1
    assert "- page robbie-play-home, block 2, props at /actions/1/href" in markdown
    assert markdown.count("the brake holds") == 1


def _branding(project: Project) -> None:
    project.edit("node_branding/vengeance-local.toml", "#ff4fa3", "#ff0000")


def _template(project: Project) -> None:
    layout = "templates/layouts/single-column.html.j2"
    project.edit(layout, '<div class="rb-layout ', '<div class="rb-layout rb-new ')


def _broken_component(project: Project) -> None:
    with (project.folder / _HERO).open("a") as file:
        file.write("const x = ;\n")


def _unseen_token(project: Project) -> None:
    project.edit(
        "content/tokens.toml",
        '"color.primary" = { value = "#1f5fa8"',
        '"color.primary" = { value = "#123456"',
    )


def _deleted_page(project: Project) -> None:
    delete_about(project.folder / "content")


def _comment_in_code(project: Project) -> None:
    with (project.folder / _HERO).open("a") as file:
        file.write("// said to nobody\n")


@pytest.mark.parametrize(
    "change",
    [_branding, _template, _broken_component, _unseen_token, _deleted_page, _comment_in_code],
    ids=lambda change: change.__name__.strip("_"),
)
def test_the_comment_of_each_kind_of_branch(
    project: Project, change: Callable[[Project], None], snapshot: SnapshotAssertion
) -> None:
    """What each says, and that one of them says nothing."""
    change(project)
    made = project.review().review
    said = as_markdown(made, command="robbieblocks preview --against main") if made.changed else ""
    # The base's hash and the weights are the toolchain's, too, and its commit is of this day.
    shown = re.sub(r"<sub>.*?</sub>", "<sub>base and plan</sub>", html.unescape(said))
    # By how many bytes a few letters make a page longer once it is compressed, any change decides.
    shown = re.sub(r"\([+-]\d{1,2} B\)", "(a few B)", shown)
    assert re.sub(r"[\d.]+ kB(?: -> [\d.]+ kB)?", "N kB", shown) == snapshot
    assert bool(said) == (change is not _comment_in_code)


def test_each_field_of_a_page_is_told(project: Project) -> None:
    project.edit(_TABLE, "minBet = 5", "minBet = 10")
    project.edit("content/pages/robbie-play-home.toml", "nothing is due", "nothing is ever due")
    said = "\n".join(project.text())
    assert "block 2 blackjack-table: minBet: 5 -> 10" in said
    assert "nothing is{+ ever+} due" in said


def test_a_review_is_the_same_twice(project: Project) -> None:
    project.edit("node_branding/vengeance-local.toml", "#ff4fa3", "#ff0000")
    one, other = (json.dumps(as_object(project.review().review)) for _ in range(2))
    assert one == other
    schema = json.loads(Path("docs/preview-schema.json").read_text())
    jsonschema_rs.Draft202012Validator(schema, offline=True).validate(json.loads(one))


def test_a_base_that_was_reviewed_is_neither_parsed_nor_checked_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of both sides only pages that differ, or name files, are; what is said is the same."""
    parsed: list[str] = []
    checked: list[object] = []

    def parse(collector: Any, file: Path, text: str) -> Any:
        parsed.append(file.name)
        return parse_toml(collector, file, text)

    def run(given: checks.Checked) -> Any:
        checked.append(given.inspection)
        return run_checks(given)

    monkeypatch.setattr(page_files, "parse_toml", parse)
    monkeypatch.setattr(checks, "run", run)
    delete_about(project.folder / "content")
    first = project.review().review
    assert first.findings
    parsed.clear()
    checked.clear()
    assert as_object(project.review().review) == as_object(first)
    assert (parsed, checked) == (["robbie-about.toml"], [])
    parsed.clear()
    project.edit(_TABLE, "minBet = 5", "minBet = 8")
    changed = project.review().review
    assert sorted(parsed) == ["robbie-about.toml", Path(_TABLE).name]
    assert len(checked) == 1
    assert changed.findings == first.findings


def test_the_working_tree_counts_with_files_that_git_does_not_know(project: Project) -> None:
    page = (project.folder / "content/pages/robbie-about.toml").read_text()
    (project.folder / "content/pages/about-us.toml").write_text(page.replace("/about", "/about-us"))
    made = project.review(against="HEAD").review
    assert {(page.key, page.effect) for page in made.pages} == {("about-us", "added")}
    assert git(project.folder, "status", "--short") == "?? content/pages/about-us.toml"


def test_a_file_with_a_mistake_leaves_its_row_as_it_was(project: Project) -> None:
    (project.folder / _TABLE).write_text("name = ")
    made = project.review().review
    assert not made.pages
    assert [each.rule for each in made.findings] == ["file"]
    assert made.notes == (
        "a file has a mistake, so what it holds is not known: page robbie-play-blackjack counts as "
        "it is in the base",
    )


@pytest.mark.parametrize(
    ("file", "kept"),
    [
        (_TABLE, "page robbie-play-blackjack"),
        ("content/components/page-hero/component.toml", "component page-hero"),
        ("content/tokens.toml", "token "),
        ("node_branding/vengeance-local.toml", "node vengeance-local"),
    ],
)
def test_a_file_with_a_mistake_hides_no_removal_but_its_own(
    project: Project, file: str, kept: str
) -> None:
    (project.folder / file).write_text("name = ")
    delete_about(project.folder / "content")
    made = project.review().review
    assert {page.key for page in made.pages if page.effect == "removed"} == {"robbie-about"}
    (note,) = made.notes
    assert f"is not known: {kept}" in note
    assert not [row for row in made.rows if f"{row.entity} {row.key}".startswith(kept)]


def test_a_renamed_file_with_a_mistake_may_hold_any_row_of_its_kind(project: Project) -> None:
    (project.folder / _TABLE).rename(project.folder / "content/pages/tables.toml")
    (project.folder / "content/pages/tables.toml").write_text('key = "robbie-play-blackjack"\nx =')
    assert not project.review().review.pages
    (project.folder / "content/pages").rename(project.folder / "content/page")
    assert not project.review().review.pages


def test_a_mistake_that_the_base_has_is_no_news(project: Project) -> None:
    """It is told where it is new, and where it is gone."""
    example = project.folder / "content/components/page-hero/examples/one.toml"
    example.parent.mkdir(exist_ok=True)
    example.write_text("[props]\ntitle = 1\n")
    made = project.review().review
    assert [each.rule for each in made.findings] == ["wrong-example"]
    page = (project.folder / _TABLE).read_text()
    (project.folder / _TABLE).write_text("name = ")
    git(project.folder, "commit", "-am", "wrong")
    git(project.folder, "add", "-A")
    git(project.folder, "commit", "-m", "wrong, too")
    assert not project.review(against="HEAD").review.changed
    (project.folder / _TABLE).write_text(page)
    (note,) = project.review(against="HEAD").review.notes
    assert note.startswith(f"the base has a file that can't be read: file {_TABLE}")


def test_a_template_with_a_mistake_lets_nothing_out(project: Project) -> None:
    (project.folder / "templates/layouts/single-column.html.j2").write_text("{% if %}")
    made = project.review().review
    assert made.changed
    assert not made.pages
    assert made.findings[0].problem.entity == "template"


def test_a_project_below_its_repository_and_a_base_without_a_project_file(
    tmp_path: Path, seed_repository: Path, context: BuildContext
) -> None:
    repository = tmp_path / "repository"
    shutil.copytree(
        seed_repository, repository / "sites" / "one", ignore=shutil.ignore_patterns(".git")
    )
    folder = repository / "sites" / "one"
    (folder / "robbieblocks.toml").unlink()
    git(repository, "init")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "one")
    (folder / "robbieblocks.toml").write_text("[project]\n")
    project = Project(folder, of_project(context.settings, folder), context)
    assert not project.review().review.changed


def test_a_content_folder_beside_the_project_is_the_one_of_the_revision(
    tmp_path: Path, seed_repository: Path, context: BuildContext
) -> None:
    repository = tmp_path / "repository"
    folder = repository / "one"
    shutil.copytree(seed_repository, folder, ignore=shutil.ignore_patterns(".git"))
    (folder / "content").rename(repository / "rows")
    (folder / "robbieblocks.toml").unlink()
    git(repository, "init")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "one")
    settings = replace(of_project(context.settings, folder), content=folder / ".." / "rows")
    project = Project(folder, settings, context)
    assert not project.review().review.changed
    delete_about(repository / "rows")
    assert {page.effect for page in project.review().review.pages} == {"removed"}


def test_a_submodule_is_read_where_it_is_there(
    tmp_path: Path, seed_repository: Path, context: BuildContext
) -> None:
    inner = tmp_path / "inner"
    shutil.copytree(seed_repository / "content", inner)
    git(inner, "init")
    git(inner, "add", ".")
    git(inner, "commit", "-m", "rows")
    folder = tmp_path / "outer"
    shutil.copytree(seed_repository, folder, ignore=shutil.ignore_patterns(".git", "content"))
    git(folder, "init")
    git(folder, "submodule", "add", str(inner), "content")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    project = Project(folder, of_project(context.settings, folder), context)
    assert not project.review().review.changed
    project.edit(_TABLE, "minBet = 5", "minBet = 10")
    assert [row.key for row in project.review().review.rows] == ["robbie-play-blackjack"]


@pytest.mark.parametrize("name", ["nowhere", "--upload-pack=x", "main..HEAD", "", "a\x1bb"])
def test_a_revision_that_is_not_there_is_one_error(project: Project, name: str) -> None:
    with pytest.raises(UsageError, match="git knows no revision"):
        project.review(against=name)


def test_a_shallow_clone_says_how_to_get_more(
    tmp_path: Path, seed_repository: Path, context: BuildContext
) -> None:
    folder = tmp_path / "shallow"
    git(tmp_path, "clone", "--depth=1", f"file://{seed_repository}", str(folder))
    project = Project(folder, of_project(context.settings, folder), context)
    with pytest.raises(UsageError, match="this clone is shallow: fetch it"):
        project.review(against="v1")


def test_a_folder_is_compared_with(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "export"
    shutil.copytree(project.folder / "content", other / "content")
    shutil.copytree(project.folder / "node_branding", other / "node_branding")
    assert not project.review(against=str(other)).review.changed
    (other / "content/pages/robbie-about.toml").unlink()
    pages = project.review(against=str(other)).review.pages
    assert {(page.key, page.effect) for page in pages} == {("robbie-about", "added")}
    with pytest.raises(UsageError, match="has neither robbieblocks"):
        project.review(against=str(tmp_path))


def test_live_rows_are_read_and_never_written(project: Project, seeded_database: str) -> None:
    onlooker = make_conninfo(seeded_database, user="onlooker")
    settings = replace(project.settings, database_url=onlooker)
    with (
        psycopg.connect(seeded_database, autocommit=True) as editor,
        _with_select_alone(seeded_database, "onlooker"),
    ):
        editor.execute(
            "UPDATE robbieblocks_pages SET meta_title = 'Edited' WHERE page_key = 'robbie-about'"
        )
        counted = "SELECT count(*), max(xmin::text::bigint) FROM robbieblocks_pages"
        before = editor.execute(counted).fetchone()
        project.edit(_TABLE, "minBet = 5", "minBet = 10")
        opened: list[Connection] = []

        @contextmanager
        def connect() -> Iterator[Connection]:
            with rows.connect(settings, application_name="test") as connection:
                opened.append(connection)
                yield connection

        made = project.review("live", connect).review
        # Whatever rights the role has: the server refuses to write.
        assert [each.read_only for each in opened] == [True]
        assert editor.execute(counted).fetchone() == before
    # What an editor has changed since the import stays as it is there.
    assert {page.key for page in made.pages} == {"robbie-play-blackjack"}
    assert made.base.kind == "live"


@contextmanager
def _with_select_alone(conninfo: str, role: LiteralString) -> Iterator[None]:
    """A role that may read every table and do nothing else."""
    with psycopg.connect(conninfo, user="postgres", autocommit=True) as superuser:
        superuser.execute(f"CREATE ROLE {role} LOGIN")
        try:
            superuser.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
            yield
        finally:
            superuser.execute(f"DROP OWNED BY {role}")
            superuser.execute(f"DROP ROLE {role}")


def test_rows_of_files_are_those_of_a_database(
    make_builder: MakeBuilder, seeded_database: str
) -> None:
    builder = make_builder(seeded_database)
    stored = snapshot.take(builder.connection)
    made = content.as_rows(content.stored(builder.connection).content, taken_at=NOW)
    assert made.tokens == stored.tokens
    assert made.nodes == stored.nodes
    # Files have neither ids nor the dates of edits.
    first = made.pages[0].id
    assert [replace(row, id=first, created_at=None, modified="") for row in stored.pages] == [
        replace(row, id=first) for row in made.pages
    ]
    some = next(iter(made.components.values())).id
    assert {key: replace(row, id=some) for key, row in stored.components.items()} == {
        key: replace(row, id=some) for key, row in made.components.items()
    }


def test_a_run_that_was_reviewed_is_what_a_build_approves(
    project: Project, seeded: Builder
) -> None:
    """While what is live is what the base makes, its hash approves what was seen."""
    seeded.build()
    delete_about(project.folder / "content")
    runs = project.review().review.runs
    seeded.sql("DELETE FROM robbieblocks_pages WHERE page_key = 'robbie-about'")
    assert seeded.build().exit_code == 1
    assert seeded.build(approved=tuple(run.hash for run in runs)).exit_code == 0
    assert all("robbie-about" not in str(seeded.live(run.node, run.app)) for run in runs)


def test_hostile_texts_are_only_texts_in_markdown(project: Project) -> None:
    hostile = "</details> @octocat ``` <img src=x> #1 [a](javascript:b) \u202eevil | x"
    project.edit("content/pages/robbie-about.toml", 'title = "', f'title = "{hostile} ')
    text = as_markdown(project.review().review)
    assert "<img" not in text
    # GitHub looks for names in what is shown, but for code.
    shown = html.unescape(re.sub("<code>.*?</code>", "", text))
    assert "octocat" in shown
    assert not re.search("@octocat|#1", shown)
    assert "\u202e" not in text
    assert text.count("<details>") == text.count("</details>")


def test_markdown_is_cut_where_a_comment_ends(project: Project) -> None:
    for page in (project.folder / "content/pages").glob("*.toml"):
        text = page.read_text()
        page.write_text(text.replace('description = "', f'description = "{"long " * 900}', 1))
    made = project.review().review
    whole, cut = as_markdown(made), as_markdown(made, most=6_000)
    assert len(cut) <= 6_000 < len(whole)
    assert "left out" in cut
    assert cut.startswith("### ")
