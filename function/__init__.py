"""One request, in reading order: frames, faces, people, matches, reply."""
