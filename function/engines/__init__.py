"""Engines see: they find faces in pictures, cut them upright, and encode them as vectors.

`protocol` says what an engine is, `loading` chooses one; no other room knows which it got.
"""
