"""Turns the user's files into pictures, each with the time at which a player shows it.

Paths are opened only inside the media root, containers and codecs are not trusted, and colours,
pixel shapes and rotation are handled here once: the result is a `Frame` in upright RGB, a `Moment`,
or a photo. Every package above may use it; nothing here knows about faces.
"""
