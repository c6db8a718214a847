"""The faces of one video become people: views counted, grouped, and given their spans of time.

Pure functions: no file, clock or environment. Matching, replies and the sandboxed child enter.
"""
