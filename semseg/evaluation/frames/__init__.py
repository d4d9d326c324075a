"""Where frames come from: images, datasets, videos, cameras and bags, all as ``Frame``.

No network runs here and nothing is counted.
"""
