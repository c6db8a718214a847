"""What the server knows of the library, over HTTP: who is in which video, and its scans.

`routes` lists the URLs, and what /openapi.json says of them. `main` uses it.
"""
