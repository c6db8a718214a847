"""Engines find faces in pictures, cut them out upright, and encode them; all make dlib's encodings.

`protocol` defines what an engine is, and `loading` chooses one. No other package knows which.
"""
