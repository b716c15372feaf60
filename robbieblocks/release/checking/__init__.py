"""Whether a release is whole on the disk, and what visitors get of it."""
