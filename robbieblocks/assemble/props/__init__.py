"""Props: defaults, validation against a component's schema, and its cost."""
