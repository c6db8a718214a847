"""Answers HTTP requests: checks access, reads the parameters and writes the reply.

`service` holds what outlives a request; `identify` answers for one video. `main` uses it, and so do
the page's own routes, in `page`.
"""
