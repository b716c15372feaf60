"""Commands that keep what is live as it is, or as it was."""
