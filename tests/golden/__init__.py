"""Whole replies stored as numbers, which must not change when code is only moved.

`cases.py` makes them from photographs and from videos made in code, `replies.json` holds them as
they were, and `test_golden_replies.py` compares the two, on processors that round alike. Run
`python -m tests.golden` to store them again: before you move code on another kind of processor, and
after a change that is meant to change them. `python -m tests.golden --check` only reports how far
they have moved.
"""
