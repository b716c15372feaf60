"""Commands that say what a change does before it goes out."""
