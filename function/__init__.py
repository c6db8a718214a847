"""Handles one request. In reading order: frames, faces, people, matches, reply."""
