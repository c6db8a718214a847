"""The gallery: performers the user enrolled, and the encodings of their faces."""

import os

# Before numpy is imported: its threads would wait for work by spinning, 50 ms of CPU time a start.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
