"""docs/settings.md: every setting, and the tables that have a shape of their own."""

from __future__ import annotations

from typing import Final

from robbieblocks.settings.entries import PROJECT_FILE, SETTINGS
from robbieblocks.settings.forms import FORMS_MEANING


def reference() -> str:
    """The text of docs/settings.md."""
    rows = (
        " | ".join((_code(each.variable), _code(each.key), each.default, each.meaning))
        for each in SETTINGS
    )
    after = (_ADDRESSES, _APPLICATIONS, _COLLECTIONS, _EVENTS, _FORMS, _FREEZE, _SYNC, "")
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

_SYNC: Final = """
## Tables that are kept in step

`[sync.tables]` has a direction, a rule, or both for each table that is
[kept in step](sync.md) otherwise than by default. The master's file counts; nodes get it from
there:

```toml
[sync]
interval = 60

[sync.tables]
robbieblocks_style_tokens = "down"
robbieblocks_pages = "both column"
media_assets = "never"
```

The direction is `both`, `down` (from the master), `up` (to the master) or `never`. The rule says
what is compared where two databases changed a row: the whole `row`, or each `column`."""

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

_COLLECTIONS: Final = """
## Collections

`[collections.NAME]` names a view whose rows become [pages and data](collections.md):

```toml
[collections.products]
view = "shop_products"
key = "slug"
route = "/products/{slug}"
template_page = "product"
rows_max = 10000
```

`view` is needed. `route` and `template_page` stand together; without them the rows are data alone.
`key` is the column that names a row: by default the last one in `route`, else `slug`. `rows_max`
is 10,000 by default, and at most 100,000."""

_FORMS: Final = f"""
## Forms

`[forms.NAME]` has {FORMS_MEANING} ([forms](how-to/forms.md)). The table may be empty:

```toml
[forms.contact]
tell = ["name", "message"]

[forms.newsletter]
endpoint = "https://forms.example/f/abc"
```

| key of a form | default | meaning |
|---|---|---|
| `endpoint` | `robbieblocks forms receive` | the address of another service that takes the form |
| `tell` | none | the fields whose content is in the event `form.received`, beside its id |"""
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
