"""Many videos: finds their files, scans them one after the other, remembers who was seen.

Unknown people are grouped across videos, and named once for all of them.

The tools use it. It is the only room that writes the ledger.
"""
