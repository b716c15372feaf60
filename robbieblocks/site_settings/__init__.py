"""Reads `settings`: the jsonb of a node's branding row, and of the metadata of frames.

`KEYS` in `keys.py` names every key and the function that reads it. A new key is an entry there, and
a field of `model.SiteSettings`.
"""

from robbieblocks.site_settings.reading import SettingProblem, read_settings

__all__ = ["SettingProblem", "read_settings"]
