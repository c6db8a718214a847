"""A gallery in one SQLite file, readable by its owner only: all that knows SQL or the file."""
