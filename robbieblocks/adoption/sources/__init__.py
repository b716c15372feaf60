"""The adopted folder: its files, and what they import and declare."""
