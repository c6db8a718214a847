"""People and the gallery become matches: distances, what they prove, scores and verdicts.

Pure functions, apart from reading the densities once. Only what names people enters: a child that
reads files never does.
"""
