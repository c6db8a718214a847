"""dlib's nets outside dlib: read from their .dat files, and written as graphs that run faster.

Only this package knows how dlib lays out its files, landmarks and chips. Only engines use it.
"""
