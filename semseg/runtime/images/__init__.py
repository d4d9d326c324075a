"""Pixels on the robot: encodings, sizes, what the network sees of an image, drawing of labels.

No graph is read here and none is run.
"""
