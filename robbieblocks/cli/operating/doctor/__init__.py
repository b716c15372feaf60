"""`robbieblocks doctor`: whether what commands rely on is there, and what to do where it is not.

| module | what it looks at |
|---|---|
| `command` | version, project and settings; prints what all of them found |
| `stored` | the database: its schema, triggers, rights and clock |
| `site_root` | the site root: its owner, its disk, whether writes last |
| `kept` | toolchain, cache, the bucket of media, and templates |
| `machine` | the clock of this machine, the worker's health, its systemd unit, who is told |
| `web_server` | what nginx and Caddy may read, are told, and answer |
"""

from robbieblocks.cli.operating.doctor.command import run

__all__ = ["run"]
