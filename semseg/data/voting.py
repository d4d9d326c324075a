"""Downscaling of labels by a vote of the pixels."""

import numpy as np

from semseg.classes import IGNORE

THRESHOLD = 0.75
"""Least share of a block's pixels that the winning label must have."""


def vote_labels(labels: np.ndarray, factor: int, threshold: float = THRESHOLD) -> np.ndarray:
    """Downscales labels: each block becomes the label that three quarters of its pixels have.

    Args:
      labels: uint8 (H, W); ``IGNORE`` votes too.
      factor: side of a block. Rows and columns that fill no block are left out.
      threshold: the share that is needed instead of three quarters; above 0.5, to 1.

    Returns:
      uint8 (H // factor, W // factor), ``IGNORE`` where no label wins.
    """
    height, width = labels.shape[0] // factor, labels.shape[1] // factor
    labels = labels[: height * factor, : width * factor]
    winners = labels[::factor, ::factor].copy()
    mixed = ~_is_uniform(labels, factor)
    blocks = labels.reshape(height, factor, width, factor).swapaxes(1, 2)[mixed]
    pixels = blocks.reshape(-1, factor * factor)
    # A label that more than half of the pixels have is their median.
    median = np.partition(pixels, factor * factor // 2, axis=1)[:, factor * factor // 2]
    votes = (pixels == median[:, np.newaxis]).sum(axis=1)
    winners[mixed] = np.where(votes >= threshold * factor * factor, median, IGNORE)
    return winners


def _is_uniform(labels: np.ndarray, factor: int) -> np.ndarray:
    """Returns which blocks have one label only, bool (h, w): most of them, and quickly found."""
    first = labels[::factor]
    same = np.ones(first.shape, bool)
    for row in range(1, factor):
        same &= labels[row::factor] == first
    uniform = same[:, ::factor].copy()
    for column in range(1, factor):
        uniform &= same[:, column::factor]
        uniform &= first[:, column::factor] == first[:, ::factor]
    return uniform
