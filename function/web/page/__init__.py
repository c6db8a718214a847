"""What the web page asks of the server, and in `assets` the page itself.

`routes` lists every URL; only `main` enters.
"""
