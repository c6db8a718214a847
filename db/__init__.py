"""The gallery: performers the user enrolled, and the encodings of their faces."""
