"""The user's own Stash: asking it, keeping the gallery in step with it, and writing into it.

The web's Stash routes, the server's worker and the verbs use it; it never answers a request itself.
"""
