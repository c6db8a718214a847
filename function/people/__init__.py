"""Groups the faces of one video into people, with their views and the times when they are seen.

Matching, replies and the sandboxed child use it.
"""
