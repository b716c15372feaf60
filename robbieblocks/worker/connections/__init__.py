"""The worker's connections to the database, and what keeps them working."""
