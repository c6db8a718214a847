"""dlib's nets outside dlib: read from their .dat files, and written as graphs that run faster.

Here alone is known how dlib lays out its files, landmarks and chips. The engines enter.
"""
