"""Enrols a source's performers in the gallery, and reports on each."""
