"""From samples to batches of a training: which images are drawn, changed, and put together.

Nothing here knows of files or declarations; ``batches`` needs Grain, which nothing else does.
"""
