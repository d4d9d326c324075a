"""A look at a dataset before it is used: errors, warnings, counts, and pictures of samples.

What makes samples is in ``samples``; here nothing is changed and nothing is trained on.
"""
