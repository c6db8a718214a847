"""SFace, the second encoder: its file, its graph, its model.

It takes three times as long as dlib's net, so it encodes a person's best views only.
"""
