"""Measures how often the answers are right, on labelled photos."""
