"""Turns a photo into the one face to enrol, or a reason why there is none.

The page, imports and the sandboxed child use it.
"""
