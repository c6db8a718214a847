"""A picture becomes faces: found, cut upright, encoded, and weighed by how far they can be trusted.

Engines do the seeing; what leaves is `Face`, numbers and one small JPEG. People and enrolling
enter.
"""
