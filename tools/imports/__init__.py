"""Performers from a source become performers in the gallery, with a report of each."""
