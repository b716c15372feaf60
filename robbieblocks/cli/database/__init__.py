"""Commands for the database itself, its regular tasks, and sealed secrets."""
