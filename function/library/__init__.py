"""Many videos: finds their files, scans them one after the other, remembers who was seen.

The tools use it. It is the only room that writes the ledger.
"""
