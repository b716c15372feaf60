"""Content as files: a folder of components, pages and tokens, and the rows that it describes.

    content/components/<key>/component.tsx|jsx|ts|js   react_code
                             component.css             css_styles (no file: null)
                             component.toml            every other column
                             props.schema.json         props_schema
                             examples/<name>.toml      props to look at; no column has them
    content/pages/<key>.toml                           a page with its [[blocks]]
    content/tokens.toml                                style tokens
    content/media/<file>                               a picture, font or other file
                  <file>.toml                          what there is to say of it
    node_branding/<node-id>.toml                       a node's branding

`start_project` makes a new project. `load` reads such a folder and `export` writes it; `stored`
reads the rows of a database, `import_` merges a folder into them, and `as_rows` makes the snapshot
of a database that holds the content. `ContentPlaces` says which
line of which file a problem concerns. Files can hold every row: a key that can't be a file name is
written as `key` in the file, and JSON that TOML can't hold (null) as text in `props_json`,
`conditions_json`, `metadata_json` or `tokens_json`.
"""

from robbieblocks.content.as_rows import as_rows
from robbieblocks.content.design_tokens import DesignTokens, design_tokens, read_design_tokens
from robbieblocks.content.file_schemas import file_schemas
from robbieblocks.content.packaged import PACKAGED, is_packaged
from robbieblocks.content.places import ContentPlaces, FilePlace
from robbieblocks.content.reading.examples import save_example
from robbieblocks.content.reading.folder import (
    CODE_FILES,
    is_of_example,
    load,
    load_sound,
    wrong_examples,
)
from robbieblocks.content.reading.media_files import media_of, toml_of, too_large
from robbieblocks.content.reading.page_memory import PageMemory
from robbieblocks.content.shape import (
    EXAMPLES,
    Block,
    Component,
    Content,
    ContentRow,
    Example,
    Media,
    Page,
    RowName,
    Token,
)
from robbieblocks.content.starter import editor_files, start_project
from robbieblocks.content.storing.differences import difference
from robbieblocks.content.storing.importing import import_, remember_export, seed
from robbieblocks.content.storing.media_rows import NeededMedia
from robbieblocks.content.storing.media_rows import move as move_media
from robbieblocks.content.storing.media_rows import needed as needed_media
from robbieblocks.content.storing.media_rows import objects as media_objects
from robbieblocks.content.storing.merging import RowMerge, Side, merge, row_hash
from robbieblocks.content.storing.outdated import outdated
from robbieblocks.content.storing.stored import Stored, stored, stored_media
from robbieblocks.content.writing.exporting import Exported, export, export_design_tokens
from robbieblocks.content.writing.folder_files import FolderFiles
from robbieblocks.content.writing.rows import component_files

__all__ = [
    "CODE_FILES",
    "EXAMPLES",
    "PACKAGED",
    "Block",
    "Component",
    "Content",
    "ContentPlaces",
    "ContentRow",
    "DesignTokens",
    "Example",
    "Exported",
    "FilePlace",
    "FolderFiles",
    "Media",
    "NeededMedia",
    "Page",
    "PageMemory",
    "RowMerge",
    "RowName",
    "Side",
    "Stored",
    "Token",
    "as_rows",
    "component_files",
    "design_tokens",
    "difference",
    "editor_files",
    "export",
    "export_design_tokens",
    "file_schemas",
    "import_",
    "is_of_example",
    "is_packaged",
    "load",
    "load_sound",
    "media_objects",
    "media_of",
    "merge",
    "move_media",
    "needed_media",
    "outdated",
    "read_design_tokens",
    "remember_export",
    "row_hash",
    "save_example",
    "seed",
    "start_project",
    "stored",
    "stored_media",
    "toml_of",
    "too_large",
    "wrong_examples",
]
