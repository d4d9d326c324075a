"""Class-uniform sampling: crops around places that show a class, each class as often as any other.

Zhu et al., Improving Semantic Segmentation via Video Propagation and Label Relaxation (CVPR 2019),
section 3.4: part of the crops of an epoch are drawn class by class from a list of places that
show the class, so that rare classes are learnt from more than chance would show them.
"""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semseg.classes import IGNORE
from semseg.data.files.file_cache import FileCache, file_stamp
from semseg.data.files.parallel import map_with_progress
from semseg.data.samples.samples import Sample
from semseg.errors import DatasetError, ImageError

TILE = 256
"""Side of the tiles of a label image that give one place per class each, pixels."""

Place = tuple[int, int, int]
"""Index of a sample, row and column of a pixel in it."""

LabelledPlaces = list[tuple[int, int, int]]
"""Label, row and column of pixels of one sample."""


class ClassUniform(NamedTuple):
    """Draws places of classes, every class that occurs with equal probability.

    Attributes:
      share: part of all draws that are drawn so, 0..1; the others take samples in their order.
      places: for each class that occurs, int32 (N, 3): the rows are ``Place``.
    """

    share: float
    places: tuple[np.ndarray, ...]

    def draw(self, rng: np.random.Generator) -> Place | None:
        """Returns a place, or None where the sample is to be the next in order."""
        if rng.random() >= self.share:
            return None
        index, row, column = rng.choice(self.places[rng.integers(len(self.places))]).tolist()
        return index, row, column


def place_cache(folder: Path | None, name: str, content: str) -> FileCache[LabelledPlaces]:
    """Returns a cache for ``find_classes``; see ``FileCache``."""
    return FileCache(folder, f"{name}-places", content, list, lambda found: [*map(tuple, found)])


def find_classes(
    samples: Sequence[Sample],
    share: float,
    tile: int = TILE,
    cache: FileCache[LabelledPlaces] | None = None,
    workers: int | None = None,
) -> ClassUniform:
    """Lists where each class is in the labels of all samples.

    Args:
      samples: what is drawn from; one that cannot be read has no places.
      share: see ``ClassUniform``.
      tile: side of the tiles, pixels; about a crop's.
      cache: what was found in these label files before; those of no file are read each time.
      workers: threads; None takes as many as there are processors.

    Raises:
      DatasetError: no class was found in any sample.
    """
    cache = cache or place_cache(None, "", "")
    by_class: dict[int, list[Place]] = {}
    for index, places in enumerate(_all_places(samples, tile, cache, workers)):
        for label, row, column in places:
            by_class.setdefault(label, []).append((index, row, column))
    if not by_class:
        raise DatasetError(f"none of the {len(samples)} samples shows a class")
    return ClassUniform(
        share, tuple(np.array(by_class[label], np.int32) for label in sorted(by_class))
    )


def _all_places(
    samples: Sequence[Sample], tile: int, cache: FileCache[LabelledPlaces], workers: int | None
) -> list[LabelledPlaces]:
    """Returns the places of each sample; reads those that are not in the cache."""
    stamps = [_stamp(sample, tile) for sample in samples]
    new = [index for index, stamp in enumerate(stamps) if stamp not in cache.found]
    work, unread = partial(_places, tile), [samples[index] for index in new]
    looks = map_with_progress(work, unread, "looking for classes", workers) if new else ()
    fresh = dict(zip(new, looks, strict=True))
    cache.keep({stamps[index]: places for index, places in fresh.items() if stamps[index]})
    return [
        fresh[index] if index in fresh else cache.found[stamp] for index, stamp in enumerate(stamps)
    ]


def _stamp(sample: Sample, tile: int) -> str:
    """Returns what a cache knows a sample by; '' for one of no label file."""
    path = sample.label_path
    return f"{tile} {os.path.abspath(path)} {file_stamp(path)}" if path else ""


def _places(tile: int, sample: Sample) -> LabelledPlaces:
    """Returns label, row and column of one pixel of each class of each tile."""
    try:
        labels = sample.read_labels()
    except (DatasetError, ImageError):
        return []  # Reading it for training will say why.
    return [
        (label, top + row, left + column)
        for top in range(0, labels.shape[0], tile)
        for left in range(0, labels.shape[1], tile)
        for label, row, column in _middles(labels[top : top + tile, left : left + tile])
    ]


def _middles(labels: np.ndarray) -> list[tuple[int, int, int]]:
    """Returns each class of a tile, with the middle one of its pixels in reading order."""
    order = np.argsort(labels, axis=None, kind="stable")  # of bytes: a radix sort
    counts = np.bincount(labels.ravel(), minlength=IGNORE + 1)
    middles = order[(np.cumsum(counts) - counts // 2 - 1)[counts > 0]]
    rows, columns = np.divmod(middles, labels.shape[1])
    present = np.flatnonzero(counts)
    return [
        place
        for place in zip(present.tolist(), rows.tolist(), columns.tolist(), strict=True)
        if place[0] != IGNORE
    ]
