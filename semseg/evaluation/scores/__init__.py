"""What an evaluation counts, one module a score; ``scores`` holds those that a dataset asks for.

How scores are told is in ``report``.
"""
