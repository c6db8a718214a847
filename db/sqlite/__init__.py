"""A gallery in one SQLite file, readable only by its owner. Only this package knows SQL."""
