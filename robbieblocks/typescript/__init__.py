"""TypeScript over components: what its checker finds, and what an editor needs.

| module | what it does |
|---|---|
| `checking` | has all components checked, and makes problems of what is found |
| `program` | the folder that the checker sees |
| `places` | the compiler's places in the texts as they are stored |
| `props` | a props schema as a type |
| `editor` | writes types and schemas for an editor |
| `packages` | where the types of packages are |
"""

from robbieblocks.typescript.checking import type_problems
from robbieblocks.typescript.editor import EditorFiles, write_editor_files

__all__ = ["EditorFiles", "type_problems", "write_editor_files"]
