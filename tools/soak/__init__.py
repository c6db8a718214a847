"""Exposes the function to hostile media, load and long use: `python -m tools.soak`."""
