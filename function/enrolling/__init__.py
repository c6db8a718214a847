"""A photo becomes the one face that is enrolled, or a reason why not.

The page, imports and the sandboxed child enter.
"""
