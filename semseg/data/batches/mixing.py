"""Which sample of which dataset comes next, where several are learnt from at once.

Draw k is a pure function of the seed and k. Each dataset is shuffled anew in each pass over it, and
the datasets take turns in proportion to their weights, so that even a few draws are mixed as the
weights say. An epoch is as many draws as the datasets have samples together: with weights by
size each sample is then seen once, with other weights some datasets are seen more often.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from semseg.data.batches.class_uniform import ClassUniform
from semseg.errors import ConfigError

# Grain looks for JAX's profiler at import and warns each user of each script that it is missing.
logging.getLogger("absl").addFilter(lambda record: "jax profiler" not in record.getMessage())

import grain  # noqa: E402

ENDLESS = 2**53
"""Number of draws: more than any run needs, and exact as a floating-point number."""


class Draw(NamedTuple):
    """One sample to be read.

    Attributes:
      dataset: index of its dataset.
      sample: index of the sample in that dataset.
      focus: (row, column) of a pixel that the crop is to show; None lets the crop lie anywhere.
    """

    dataset: int
    sample: int
    focus: tuple[int, int] | None = None


def draws(
    sizes: Sequence[int],
    seed: int,
    weights: Sequence[float] | None = None,
    class_uniform: Sequence[ClassUniform | None] | None = None,
) -> grain.MapDataset[Draw]:
    """Returns the endless order of samples.

    Args:
      sizes: number of samples of each dataset.
      seed: of the order; any integer from 0 on.
      weights: how often each dataset is drawn from, relative to the others; None goes by size.
      class_uniform: for each dataset what makes its rare classes frequent, or None.

    Raises:
      ConfigError: an empty dataset, or weights that are not one positive number for each.
    """
    weights = sizes if weights is None else weights
    _check(sizes, weights)
    choosers = class_uniform or [None] * len(sizes)
    parts = [
        _draws_of(dataset, size, (seed + dataset) % 2**32, chooser)
        for dataset, (size, chooser) in enumerate(zip(sizes, choosers, strict=True))
    ]
    # Grain computes lengths in floating point: its endless one overflows in batches of one.
    return grain.MapDataset.mix(parts, weights)[:ENDLESS]


def epoch_samples(sizes: Sequence[int]) -> int:
    """Returns the number of draws of one epoch: as many as there are samples."""
    return sum(sizes)


def _draws_of(
    dataset: int, size: int, seed: int, chooser: ClassUniform | None
) -> grain.MapDataset[Draw]:
    order = grain.MapDataset.range(size).seed(seed).shuffle().repeat(None)
    if chooser is None:
        return order.map(lambda index: Draw(dataset, index))

    def choose(index: int, rng: np.random.Generator) -> Draw:
        place = chooser.draw(rng)
        return Draw(dataset, index) if place is None else Draw(dataset, place[0], place[1:])

    return order.random_map(choose)


def _check(sizes: Sequence[int], weights: Sequence[float]) -> None:
    if not sizes or min(sizes) < 1:
        raise ConfigError(f"each dataset of a mixture needs a sample, found {list(sizes)} samples")
    if len(weights) != len(sizes) or min(weights) <= 0:
        raise ConfigError(
            f"expected a positive weight for each of {len(sizes)} datasets, found {list(weights)}"
        )
