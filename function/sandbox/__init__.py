"""Files are read in locked processes that hold no secret, and what they answer is not believed.

`pool` starts them and gives out work, `child` is what runs in one, `wire` is what passes between.
Only what serves requests enters.
"""
