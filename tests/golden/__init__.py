"""Whole replies kept as numbers: what must stay as it is while the code is moved about.

`cases.py` makes them anew from photographs and from videos made in code, `replies.json` holds them
as they were, and `test_golden_replies.py` compares the two, on processors that round alike. Before
moving code on another one, and after a change that means to move the numbers, write them anew with
`python -m tests.golden`; `python -m tests.golden --check` only says how far they have moved.
"""
