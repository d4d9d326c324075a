"""A trained network as files for robots: the frozen graph, and its conversions.

TensorFlow is imported in this package alone, of all that trains.
"""
