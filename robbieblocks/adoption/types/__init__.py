"""Props schemas from TypeScript types."""
