"""The frozen graph as bytes: wire format, nodes, card, shapes and costs, without any engine.

What runs a graph is in ``engines``.
"""
