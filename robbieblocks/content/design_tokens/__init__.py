"""Style tokens as a file of the Design Tokens Format Module 2025.10 (DTCG).

| module | what it does |
|---|---|
| `tree` | the tokens of a file by their path: groups, inheritance, sets, files of earlier formats |
| `css_values`, `colors`, `json_values` | the value of each type as CSS |
| `reading` | a file's tokens as rows |
| `writing` | rows as such a file |

Design tools share such files. What one can't say stands in `$extensions` under `robbieblocks`, so
that rows which are written and read again are the same rows.
"""

from robbieblocks.content.design_tokens.reading import DesignTokens, read_design_tokens
from robbieblocks.content.design_tokens.writing import design_tokens

__all__ = ["DesignTokens", "design_tokens", "read_design_tokens"]
