"""The commands about media."""
