"""Content as files: a folder of components, pages and tokens, and the rows that it describes.

    content/components/<key>/component.tsx|jsx|ts|js   react_code
                             component.css             css_styles (no file: null)
                             component.toml            every other column
                             props.schema.json         props_schema
    content/pages/<key>.toml                           a page with its [[blocks]]
    content/tokens.toml                                style tokens
    node_branding/<node-id>.toml                       a node's branding

`load` reads such a folder; `seed` writes it into the rows of a database. Files can hold every row:
a key that can't be a file name is written as `key` in the file, and JSON that TOML can't hold
(null) as text in `props_json`, `conditions_json` or `metadata_json`.
"""

from robbieblocks.content.folder import load
from robbieblocks.content.rows import seed
from robbieblocks.content.shape import Block, Component, Content, Page, Token

__all__ = ["Block", "Component", "Content", "Page", "Token", "load", "seed"]
