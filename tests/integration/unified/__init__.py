"""The unified schema: every file, alone, again, and over what the earlier version left."""
