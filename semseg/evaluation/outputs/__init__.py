"""What is written of predictions: pictures, videos, raw ids, bags, and a window that shows them.

The numbers of an evaluation are written by ``report``.
"""
