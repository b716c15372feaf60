"""Forms of pages: their fields, and whether what a visitor sent fits these."""
