"""Reads files in locked processes that hold no secret, and checks everything they answer.

`pool` starts them and hands out work, `child` runs in each, `wire` is what they exchange. Only code
that serves requests uses it.
"""
