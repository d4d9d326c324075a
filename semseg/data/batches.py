"""Batches for training: batch k is a pure function of the seed and k."""

import logging
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from semseg.data.augmentation import AugmentationConfig, augment
from semseg.data.samples import Sample
from semseg.errors import ConfigError, DatasetError, ImageError

# Grain looks for JAX's profiler at import and warns each user of each script that it is missing.
logging.getLogger("absl").addFilter(lambda record: "jax profiler" not in record.getMessage())

import grain  # noqa: E402

_LOG = logging.getLogger(__name__)

_PREFETCHED_BATCHES = 4

Pair = tuple[np.ndarray, np.ndarray]
"""image uint8 (H, W, 3) and labels uint8 (H, W), or a batch of them."""


class SampleSource:
    """Reads samples by index, from any thread; the next readable one replaces an unreadable one.

    Attributes:
      skipped: name -> reason, of the samples that could not be read so far.
    """

    def __init__(self, samples: Sequence[Sample], cache: bool = False):
        """Takes the samples.

        Args:
          samples: what to read.
          cache: keep what was read in memory, 4 bytes a pixel.
        """
        self._samples = samples
        self._cache: dict[int, Pair] | None = {} if cache else None
        self._lock = threading.Lock()
        self.skipped: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Pair:
        """Returns image and labels of a sample, or of the next one that can be read.

        Raises:
          DatasetError: no sample can be read, or one does not fit its declaration.
        """
        for offset in range(len(self)):
            pair = self._read((index + offset) % len(self))
            if pair is not None:
                return pair
        raise DatasetError(f"none of the {len(self)} samples can be read")

    def _read(self, index: int) -> Pair | None:
        if self._cache is not None and index in self._cache:
            return self._cache[index]
        sample = self._samples[index]
        if sample.name in self.skipped:
            return None
        try:
            pair = sample.read()
        except ImageError as error:
            self._skip(sample.name, str(error))
            return None
        if self._cache is not None:
            self._cache[index] = pair
        return pair

    def _skip(self, name: str, reason: str) -> None:
        with self._lock:
            if name not in self.skipped:
                self.skipped[name] = reason
                _LOG.warning("sample %s is skipped: %s", name, reason)


def batches(
    source: SampleSource,
    augmentation: AugmentationConfig,
    batch_size: int,
    *,
    seed: int,
    start: int = 0,
    threads: int = 2,
) -> Iterator[Pair]:
    """Yields augmented batches for ever; the samples are shuffled anew in each pass over them.

    Args:
      source: what is read.
      augmentation: what is done to each sample; without a crop all images must have one size.
      batch_size: samples in a batch.
      seed: batch k depends on it and on k alone, not on ``threads``.
      start: number of the first batch, so that a resumed run goes on where it was.
      threads: threads that read and augment ahead.

    Yields:
      images uint8 (B, h, w, 3) RGB and labels uint8 (B, h, w).

    Raises:
      ConfigError: images of different sizes and no crop.
      DatasetError: no sample can be read, or one does not fit its declaration.
    """
    dataset = (
        grain.MapDataset.source(source)
        .seed(seed)
        .shuffle()
        .repeat(None)
        .random_map(lambda pair, rng: augment(pair[0], pair[1], rng, augmentation))
        .batch(batch_size, batch_fn=_stack)
    )
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=_PREFETCHED_BATCHES)
    return iter(dataset[start:].to_iter_dataset(options))


def _stack(pairs: Sequence[Pair]) -> Pair:
    images, labels = zip(*pairs, strict=True)
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        found = " and ".join(f"{height}x{width}" for height, width in sorted(sizes))
        raise ConfigError(f"images of {found} fit in no batch: give the augmentation a crop")
    return np.stack(images), np.stack(labels)
