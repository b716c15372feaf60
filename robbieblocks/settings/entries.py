"""The settings there are: the reference entry of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from robbieblocks.check_rules import LEVELS, RULES
from robbieblocks.settings.addresses import COMPARE, WHEN_NOT_SERVED

PROJECT_FILE: Final = "robbieblocks.toml"
# Any of these says which database is meant; the others of libpq complete an address.
NAME_A_DATABASE: Final = ("PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE")

StyleSetting = Literal["auto", "inline", "linked"]
STYLES: Final[tuple[StyleSetting, ...]] = ("auto", "inline", "linked")


@dataclass(frozen=True, slots=True)
class Setting:
    """The reference entry of one setting, in Markdown.

    `key` is its table and key in robbieblocks.toml; a setting has that, a `variable`, or both.
    `choices` are its values, where it can't have others. A setting with a `range` is a whole
    number within it, both ends included.
    """

    variable: str
    key: str
    default: str
    meaning: str
    choices: tuple[str, ...] = ()
    range: tuple[int, int] | None = None

    @property
    def default_number(self) -> int:
        """The default of a setting that is a number."""
        return int(self.default.strip("`"))


SETTINGS: Final = (
    Setting("", "project.name", "none", "what people call the project; nothing depends on it"),
    Setting(
        "ROBBIEBLOCKS_CONTENT",
        "project.content",
        "`content`",
        "the folder that `content export`, `import` and `diff` use",
    ),
    Setting(
        "ROBBIEBLOCKS_TEMPLATES",
        "project.templates",
        "in a project `templates`, where that is there",
        "a folder of layouts, base styles and favicon that come before the package's: it needs "
        "only what differs",
    ),
    Setting(
        "ROBBIEBLOCKS_NODE_BRANDING",
        "project.node_branding",
        "`node_branding`",
        "the folder of each node's reviewed branding, which `content` exports and imports too",
    ),
    Setting(
        "ROBBIEBLOCKS_DATABASE_URL",
        "database.url",
        "the embedded server; for `worker` and `prune` only with `--embedded`",
        "the database, as a libpq URL or conninfo. "
        f"{', '.join(f'`{name}`' for name in NAME_A_DATABASE)} override the key. Keep a password "
        "in the variable: the file is for everybody",
    ),
    Setting(
        "ROBBIEBLOCKS_SITE_ROOT", "site.root", "`site` in the home", "the sites: one folder a node"
    ),
    Setting(
        "ROBBIEBLOCKS_SMOKE_URL",
        "site.smoke_url",
        "nothing is fetched",
        "where visitors reach the node, or each one that [`site.urls`](#addresses) does not have: "
        "changed pages are fetched there after each swap, and wrong ones swap it back",
    ),
    Setting(
        "",
        "site.compare",
        f"`{COMPARE[0]}`",
        "how a page that was fetched is compared: its `bytes`, or, where a proxy alters pages, its "
        "`build` alone",
        COMPARE,
    ),
    Setting(
        "",
        "site.when_not_served",
        f"`{WHEN_NOT_SERVED[0]}`",
        "what becomes of a release that is not served as it should be: `swap back` to the one "
        "before, or `keep` it and say so",
        WHEN_NOT_SERVED,
    ),
    Setting(
        "",
        "site.styles",
        "`auto`",
        "where pages have their styles: `inline` in the page, which shows after one request; "
        "`linked` in part in a file, which a browser keeps for the next page; `auto` is `inline` "
        "for an app of at most 1,000 pages",
        STYLES,
    ),
    Setting(
        "",
        "bucket.url",
        "none",
        "an S3-compatible bucket to which [what is live is published, too](bucket.md): "
        "`s3://name/prefix`, where `{node}` stands for the node. Credentials are those of the "
        "environment (`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`) or of the machine's role",
    ),
    Setting("", "bucket.endpoint", "Amazon S3's", "the bucket's server, as `https://...`"),
    Setting("", "bucket.region", "`AWS_REGION`, else `us-east-1`", "the bucket's region"),
    Setting(
        "",
        "bucket.layout",
        "`router`",
        "`router`: a swap is one write, and a router stands in front; `flat`: pages lie at their "
        "paths, and are written one after the other",
        ("router", "flat"),
    ),
    Setting(
        "",
        "bucket.nodes",
        "every node",
        "the nodes that are published there, with spaces between; one, where the url has no "
        "`{node}`",
    ),
    Setting(
        "",
        "site.keep_releases",
        "`5`",
        "how many [releases](operator.md#what-is-kept-and-how-long) of each app stay on a node",
        range=(1, 10_000),
    ),
    Setting(
        "",
        "site.keep_days",
        "`7`",
        "for how many past days the release stays, too, that was live at the end of the day (UTC)",
        range=(0, 3_650),
    ),
    Setting(
        "",
        "site.keep_assets_days",
        "`7`",
        "for how many days an asset stays that no release refers to any more: for open tabs",
        range=(0, 3_650),
    ),
    Setting(
        "ROBBIEBLOCKS_HEALTH",
        "worker.health",
        "`127.0.0.1:9464`",
        "where a worker answers `/healthz`, `/readyz` and `/metrics`; `off` for nowhere",
    ),
    Setting(
        "ROBBIEBLOCKS_HOME",
        "",
        "`.robbieblocks`",
        "the home: what this installation makes and keeps. In a project it lies beside the file",
    ),
    Setting(
        "ROBBIEBLOCKS_CACHE",
        "",
        "`cache` in the home",
        "compiled and rendered results; losing it costs time only. It is made private (0700); "
        "another user's is not read",
    ),
    Setting(
        "ROBBIEBLOCKS_TOOLCHAIN_CACHE",
        "",
        "the user's cache folder",
        "esbuild, React and fonts, fetched once. Refused where it is neither yours nor root's, or "
        "others may write it",
    ),
    Setting(
        "ROBBIEBLOCKS_SECRETS_KEYS",
        "",
        "none",
        "the keys of [secrets](schema.md#secrets), `ID:KEY` of each with spaces between: the first "
        "seals, all open",
    ),
    Setting(
        "ROBBIEBLOCKS_BROWSER",
        "",
        "Playwright's Chromium, else one on the path",
        "the Chromium, Chrome or Edge that takes [pictures](preview.md#pictures)",
    ),
    *(
        Setting(
            "",
            f"checks.{rule.name}",
            f"`{rule.level}`",
            f"[check](checks.md): {rule.finds}",
            LEVELS,
        )
        for rule in RULES
    ),
)


def reference() -> str:
    """The text of docs/settings.md."""
    rows = (
        " | ".join((_code(each.variable), _code(each.key), each.default, each.meaning))
        for each in SETTINGS
    )
    after = (_ADDRESSES, _APPLICATIONS, _EVENTS, _FREEZE, "")
    return "\n".join((_REFERENCE, *(f"| {row} |" for row in rows), *after))


def _code(name: str) -> str:
    return f"`{name}`" if name else ""


_REFERENCE: Final = f"""# Settings

`{PROJECT_FILE}` makes its folder a *project*. Commands find it in the current folder or in the
nearest one above. It needs no key at all; each is a string below
its table, or a whole number where its default is one:

```toml
[project]
name = "My site"

[site]
root = "/srv/site"
keep_releases = 10
```

A variable overrides the file's key, and an option both. Relative folders of the file count from
its own folder, those of a variable from the current one. What is set to nothing is not set. Without
such a file, the current folder takes the project's place. In a project, a new embedded database is
empty; elsewhere it has the demo's content.

| variable | key in `{PROJECT_FILE}` | default | meaning |
|---|---|---|---|"""

URLS_MEANING: Final = (
    "where visitors reach each node: after each swap changed pages and their assets are fetched "
    "there, and `status` asks there"
)
ORIGINS_MEANING: Final = (
    "where a node's own web server answers, without what stands between it and visitors: asked "
    "only where the address of `urls` answers wrongly, to tell which of them is at fault"
)
_ADDRESSES: Final = f"""
## Addresses

`[site.urls]` has {URLS_MEANING}. `[site.origins]` has {ORIGINS_MEANING}.

```toml
[site.urls]
vengeance-local = "https://play.example.org"
aurora-town-local = "https://aurora.example.org"

[site.origins]
vengeance-local = "http://127.0.0.1:8080"
```

A build of several nodes asks each at its own address, and a node without one nowhere. The origin is
asked with the `Host` of the address. [Checking what is served](operator.md#checking-what-is-served)
says what is compared, and what is said where it differs."""
_FREEZE: Final = """
## Freeze windows

Each `[[freeze.windows]]` says when by the calendar nothing goes out
([freezes](operator.md#freezes)):

```toml
[[freeze.windows]]
cron = "0 16 * * FRI"
duration = "2d16h"
zone = "Europe/Berlin"
reason = "nobody is there to look at it"

[[freeze.windows]]
kind = "allow"
cron = "0 9 * * MON-THU"
duration = "6h"
zone = "Europe/Berlin"
nodes = ["vengeance-local"]
apps = ["play"]
reason = "the tournament's site changes in office hours alone"
```

`deny`, the default, keeps changes back in the window. Where windows of the kind `allow` concern an
app of a node, its changes go out in these alone; where a `deny` is at the same time, they don't.
`cron` is minute, hour, day, month and weekday as Debian's cron reads them, by the clock of `zone`.
`duration` is days, hours and minutes (`2d`, `12h`, `1h30m`) as time passes: where clocks are
changed in between, a window ends an hour earlier or later by the clock. A begin that the clock
leaves out in spring is the first minute after the gap, and one that it has twice in autumn is the
first of the two; where minute or hour begin with `*`, it is both. Without `nodes` and `apps` a
window is for all."""

APPLICATIONS_MEANING: Final = (
    "paths that belong to applications of their own, each with its address: `serve` and `dev` pass "
    "requests on, and so do the configurations of `webserver`"
)
EVENTS_MEANING: Final = "who is told of what happens to the sites, and what runs after a publish"
_APPLICATIONS: Final = f"""
## Applications

`[applications]` has {APPLICATIONS_MEANING}:

```toml
[applications]
"/api" = "http://127.0.0.1:8001"
```

`/api` and all below it go there, as the visitor asked for them, before any page is looked for.
Of two paths that fit, the longer counts. Bodies are passed on as they come, both ways, however
large. `Host` is the visitor's; `X-Forwarded-For`, `-Host` and `-Proto` say who asked for what.
`Forwarded`, `X-Real-IP`, other `X-Forwarded-` headers (from nginx and Caddy: `-Port`, `-Prefix`,
`-Scheme`, `-Server` and `-Ssl`) and any header with `_` in its name are taken out, since an
application could take a visitor's word for the server's. No other address is ever asked: a redirect
of the application is the visitor's to follow. One that does not answer is a 502, one that takes a
minute to begin is a 504. WebSockets pass nginx and Caddy, and neither `serve` nor `dev`."""

_WEBHOOK_ROWS: Final = (
    ("name", "the host of `url`", "what `events list` and logs call it; each has another one"),
    (
        "url",
        "none",
        "where it is sent. Without TLS it is refused, but on this machine or with `allow_http`",
    ),
    (
        "url_variable",
        "none",
        "the environment variable that has the address, where that is a secret, as Slack's is",
    ),
    (
        "secret_variable",
        "none; needed for `standard`",
        "the environment variable that has the secret: `whsec_` and 24 to 64 bytes in base64. While"
        " it is replaced: the new one, a space, the old one",
    ),
    ("events", "all", "the events that are sent"),
    ("nodes", "all", "the nodes whose events are sent"),
    (
        "format",
        "`standard`",
        "`standard`, or `slack` for a text as Slack and what takes its messages show it",
    ),
    ("allow_http", "`false`", "whether an address without TLS is meant"),
)
_WEBHOOK_KEYS: Final = "\n".join(
    (
        "| key of a webhook | default | meaning |",
        "|---|---|---|",
        *(f"| `{key}` | {default} | {meaning} |" for key, default, meaning in _WEBHOOK_ROWS),
    )
)
_EVENTS: Final = f"""
## Events

`[events]` says {EVENTS_MEANING}. Without it nothing
is noted or sent. [Events](events.md) has what is told, and how it is signed.

```toml
[events]
on_publish = ["/usr/local/bin/purge-cdn", "--zone", "play"]

[[events.webhooks]]
url = "https://hooks.example/robbieblocks"
secret_variable = "HOOK_SECRET"
events = ["run.failed", "run.held", "run.recovered"]

[[events.webhooks]]
name = "chat"
url_variable = "SLACK_URL"
format = "slack"
nodes = ["vengeance-local"]
```

{_WEBHOOK_KEYS}

The variables must be set where a worker runs (of a service: in `/etc/robbieblocks/<node>.env`)."""
