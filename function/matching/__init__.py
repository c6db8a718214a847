"""Matches people with the gallery: distances, the evidence in them, scores and verdicts.

Pure functions, apart from reading the densities once. Only code that names people uses it; the
child that reads files never does.
"""
