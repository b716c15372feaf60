"""Adoption: makes components of a folder of existing React code.

| module | what it does |
|---|---|
| `adopting` | all of it, in order |
| `reading` | the files of the folder, and which stay out |
| `syntax` | one file's imports, exports and declarations |
| `modules` | which file a name comes from |
| `keys` | component keys for files |
| `kinds` | components and modules apart |
| `rewriting` | imports, stylesheets and assets of one file |
| `statements` | imports and exports as text |
| `assets` | images that are inlined |
| `stylesheets` | CSS modules, and sheets for whole pages |
| `props`, `plain_types`, `literals`, `schemas` | props schemas from TypeScript types |
| `hints`, `missing_names` | what can't work, by line |
| `drafts`, `drafting` | what becomes of each file, and what files need of each other |
| `trying` | compiles and renders the drafts |
| `results` | what is told in the end |
| `record` | what was adopted before, and the merge by it |
"""

from robbieblocks.adoption.adopting import adopt
from robbieblocks.adoption.record import RECORD, FileMerge
from robbieblocks.adoption.results import AdoptedFile, Adoption, MissingImport

__all__ = ["RECORD", "AdoptedFile", "Adoption", "FileMerge", "MissingImport", "adopt"]
