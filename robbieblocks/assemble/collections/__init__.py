"""Pages that are made of rows of collections."""
