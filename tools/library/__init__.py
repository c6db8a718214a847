"""Scans in a shell: what they look at, what they ask, and their progress.

The verbs use it.
"""
