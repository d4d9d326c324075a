"""Files as they lie on disk: pixels, TFRecords, what is kept about files already read.

What their content means to a dataset is said in ``declarations`` and used in ``samples``.
"""
