"""React pages kept in Postgres, assembled, branded, built and swapped in for every node."""
