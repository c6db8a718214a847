"""The verbs that fill, show, change, move and check a gallery, grouped by file."""
