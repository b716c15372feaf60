"""Where things lie in a site root, and what belongs to the root as a whole."""
