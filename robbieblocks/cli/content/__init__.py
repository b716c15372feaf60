"""Commands for content as files: rows, design tokens, templates, adopted code."""
