"""Commands that build pages, or judge the rows that they are made of."""
