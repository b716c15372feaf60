"""What is used of fontTools, which ships no types."""
