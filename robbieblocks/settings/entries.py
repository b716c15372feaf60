"""The settings there are: the reference entry of each."""

from __future__ import annotations

from typing import Final, Literal

from robbieblocks.check_rules import LEVELS, RULES
from robbieblocks.settings.addresses import COMPARE, WHEN_NOT_SERVED
from robbieblocks.settings.forms import LISTEN, PROXIES
from robbieblocks.settings.setting import Setting
from robbieblocks.settings.shared_cache import SHARED_CACHE_KEY
from robbieblocks.settings.sync import TLS, TRANSPORTS

PROJECT_FILE: Final = "robbieblocks.toml"
# Any of these says which database is meant; the others of libpq complete an address.
NAME_A_DATABASE: Final = ("PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE")

StyleSetting = Literal["auto", "inline", "linked", "fixed"]
SOURCE_MAPS: Final = ("off", "on")
STYLES: Final[tuple[StyleSetting, ...]] = ("auto", "inline", "linked", "fixed")


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
        f"`{WHEN_NOT_SERVED[0]}`; `{WHEN_NOT_SERVED[1]}` where `[events]` has `on_publish`",
        "what becomes of a release that is not served as it should be: `swap back` to the one "
        "before, or `keep` it and say so",
        WHEN_NOT_SERVED,
    ),
    Setting(
        "",
        "site.styles",
        "`auto`",
        "where pages have their styles: `inline` in the page, which shows after one request; "
        "`linked` in part in a file, which a browser keeps for the next page; `fixed` the same at "
        "an address that stays, so that an edit of a token makes no page anew; `auto` is `inline` "
        "for an app of at most 1,000 pages, else `fixed`; one that had more goes back at 900",
        STYLES,
    ),
    Setting(
        "",
        "site.source_maps",
        "`off`",
        "`on` publishes a source map beside each component's script, by which a browser's tools "
        "show the component's code as it is written: anybody can read it then",
        SOURCE_MAPS,
    ),
    Setting(
        "",
        "media.size_max_mb",
        "`20`",
        "how many megabytes a file of [media](media.md) may have",
        range=(1, 64),
    ),
    Setting(
        "",
        "media.bucket",
        "none: in the database",
        "an S3-compatible bucket in which [files of media lie](media.md#in-a-bucket): "
        "`s3://name/prefix`, of its own and private. Credentials are as for `bucket.url`",
    ),
    Setting("", "media.endpoint", "Amazon S3's", "that bucket's server, as `https://...`"),
    Setting("", "media.region", "`AWS_REGION`, else `us-east-1`", "that bucket's region"),
    Setting(
        "",
        "search.apps",
        "none",
        "the apps that have an index for [search](search.md), with spaces between; `*` for all",
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
        "cache.shared",
        "none",
        "an S3-compatible bucket in which nodes [share what they compile and render]"
        "(sync.md#share-results): `s3://name/prefix`, of its own and private. "
        "Credentials are as for `bucket.url`",
    ),
    Setting("", "cache.endpoint", "Amazon S3's", "that bucket's server, as `https://...`"),
    Setting("", "cache.region", "`AWS_REGION`, else `us-east-1`", "that bucket's region"),
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
        "ROBBIEBLOCKS_SYNC_MASTER_URL",
        "sync.master",
        "none: this is the master, or alone",
        "the master with which the database is [kept in step](sync.md), as a libpq URL or conninfo "
        "of the node's own role there. Keep a password in the variable: the file is for everybody",
    ),
    Setting(
        "",
        "sync.interval",
        "`300`",
        "every how many seconds a node compares itself with the master, and tells it of itself",
        range=(1, 86_400),
    ),
    Setting(
        "",
        "sync.transport",
        "`auto`",
        "how changes come down: by a subscription (`stream`), or by asking for them (`poll`); "
        "`auto` is a subscription where both servers and the role allow one, and the node's server "
        "reaches the master",
        TRANSPORTS,
    ),
    Setting(
        "",
        "sync.tls",
        "`required`",
        "whether a master on another machine must be reached by TLS; `optional` for a network that "
        "is encrypted otherwise",
        TLS,
    ),
    Setting(
        "",
        "receiver.listen",
        f"`{LISTEN}`",
        "where `forms receive` listens, and web servers pass `/_forms` on to",
    ),
    Setting(
        "",
        "receiver.trusted_proxies",
        f"`{PROXIES}`",
        "web servers, by address or network, that are believed in `X-Forwarded-For`",
    ),
    Setting(
        "",
        "receiver.per_minute",
        "`10`",
        "how many forms the receiver takes from one address a minute; of IPv6, from a /64",
        range=(1, 10_000),
    ),
    Setting(
        "",
        "receiver.keep_days",
        "`365`",
        "how many days submissions are kept; spam for 30 at most",
        range=(1, 36_500),
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
        SHARED_CACHE_KEY,
        "",
        "none; needed for `cache.shared`",
        "the key of the nodes that share a cache: 32 bytes or more in base64, as "
        "`openssl rand -base64 32` prints them. Whoever has it is believed by the others",
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
