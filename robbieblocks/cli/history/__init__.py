"""Commands that tell what changed and who did, and take it back."""
