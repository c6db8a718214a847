"""Runs nets in onnxruntime: graphs are written once, kept on disk, and run in sessions.

Only engines use it. Nothing here knows which net it runs.
"""
