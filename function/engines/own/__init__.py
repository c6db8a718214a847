"""A second encoder of the user's own: what describes it, and the net itself.

docs/own-encoder.md is for users. Only the description is read where no net is run.
"""
