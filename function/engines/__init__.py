"""Engines find faces in pictures, cut them out upright, and encode them; all make dlib's encodings.

`protocol` defines what an engine is, `loading` chooses one; no other package knows which one.
"""
