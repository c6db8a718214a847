"""Scans in a shell: several workers at once, their progress, and lists of results.

The verbs use it.
"""
