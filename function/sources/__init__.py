"""Sources on the network yield performers with their photos; asking and fetching are done here.

Imports and the Stash room use it; sources that are files are read in `tools.sources`.
"""
