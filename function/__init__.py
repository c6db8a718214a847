"""The HTTP function: from a request to frames, faces, people, matches and a reply."""
