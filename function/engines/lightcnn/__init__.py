"""Light CNN, the second encoder: its checkpoint, its graphs, its model.

It takes as long as dlib's net does with a face's mirror image, so it encodes a person's best views
only.
"""
