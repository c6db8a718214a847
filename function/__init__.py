"""The HTTP function: from a request to frames, faces, people, matches and a reply."""

import db  # noqa: F401  # it tells numpy how to wait
