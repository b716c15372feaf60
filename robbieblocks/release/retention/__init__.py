"""What stays on the disk, why, how much it takes, and what goes."""
