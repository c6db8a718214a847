"""Benchmarks: speed and accuracy, each a script that prints a table and JSON."""
