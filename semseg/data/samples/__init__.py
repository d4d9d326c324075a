"""From a declaration to samples: pairs of files found, label files decoded, second inputs read.

What is drawn from samples, and how it is changed for training, is in ``batches``.
"""
