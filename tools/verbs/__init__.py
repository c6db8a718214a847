"""The verbs that fill, show, change, move and check a gallery, one group of them a file."""
