"""Scans in a shell: their progress.

The verbs use it.
"""
