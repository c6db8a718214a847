"""Nets under onnxruntime: graphs are written once, kept on the disk, and run in sessions.

Only engines enter. Nothing here knows which net it runs.
"""
