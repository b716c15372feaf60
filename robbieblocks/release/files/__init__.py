"""A release's files on the disk: written durably, compared, and indexed by size and time."""
