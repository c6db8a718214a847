"""Enrols what a source yields in the gallery, and reports on each performer."""
