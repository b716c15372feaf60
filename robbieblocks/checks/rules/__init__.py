"""The rules: each module finds the faults of one kind."""
