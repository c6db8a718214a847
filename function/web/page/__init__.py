"""What the server answers to the web page, and, in `assets`, the page itself.

`routes` lists every URL; only `main` uses it.
"""
