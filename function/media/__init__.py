"""A file the user has becomes pictures, each with the time at which a player shows it.

Paths are opened inside the media root, containers and codecs are not trusted, and colours, shapes
and turns are settled here once: what leaves is `Frame` with upright RGB, a `Moment`, or a photo.
Everybody above may enter; nothing here knows of faces.
"""
