"""Turns a picture into faces: found, cut out upright, encoded, and rated by how far to trust them.

The engine finds and encodes them; the result is `Face`: numbers and one small JPEG. `people` and
`enrolling` use it.
"""
