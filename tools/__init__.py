"""What people run: `python -m tools VERB`."""
