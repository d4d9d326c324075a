"""Batches for training: batch k is a pure function of the seed and k.

An example is a sample that was read; all of its parts are augmented alike.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from semseg.classes import IGNORE
from semseg.data.batches.augmentation import AugmentationConfig, draw_appearance, draw_geometry
from semseg.data.batches.augmentation.class_mix import draw_pastes, paste, paste_cells
from semseg.data.batches.class_uniform import ClassUniform
from semseg.data.batches.mixing import Draw, draws, grain
from semseg.data.samples.samples import Sample
from semseg.data.soft_labels import CELL, labels_of
from semseg.errors import ConfigError, DatasetError, ImageError

_LOG = logging.getLogger(__name__)


class Example(NamedTuple):
    """A sample that was read.

    Attributes:
      name: the sample's name.
      image: uint8 (H, W, 3) RGB.
      labels: uint8 (H, W).
      second: what ``Sample.read_second`` gave.
      right_labels: what ``Sample.read_right_labels`` gave.
      dataset: index of the sample's dataset in the experiment.
      focus: (row, column) of a pixel that the crop is to show; None lets it lie anywhere.
      soft_labels: uint8, of the labels' cells, see ``semseg.data.soft_labels``; None without.
    """

    name: str
    image: np.ndarray
    labels: np.ndarray
    second: np.ndarray | None = None
    right_labels: np.ndarray | None = None
    dataset: int = 0
    focus: tuple[int, int] | None = None
    soft_labels: np.ndarray | None = None

    @property
    def is_pair(self) -> bool:
        """Whether the second input is a right image."""
        return self.second is not None and self.second.dtype == np.uint8

    def swapped(self) -> "Example":
        """Returns a pair in the order of its mirror image; what is no labelled pair stays."""
        if self.second is None or self.right_labels is None:
            return self
        return self._replace(image=self.second, labels=self.right_labels, second=self.image)


def augment_example(
    example: Example, rng: np.random.Generator, config: AugmentationConfig
) -> Example:
    """Draws one augmented version of an example; all of its parts have the same geometry.

    In a mirror the right image is the left one. A mirrored pair is therefore swapped, and its
    labels are those of the right image; without these a pair is not mirrored.

    Args:
      example: the sample.
      rng: where the random numbers come from; the result depends on nothing else.
      config: what to do, and how much.

    Returns:
      The example at the crop's size; disparities are pixels of that size.
    """
    if example.is_pair and example.right_labels is None:
        config = config.model_copy(update={"flip": 0.0})
    height, width = example.labels.shape
    geometry = draw_geometry(rng, (height, width), config, example.focus)
    appearance = draw_appearance(rng, config)
    if geometry.flipped:
        example = example.swapped()
    second = example.second
    if second is not None and example.is_pair:
        second = appearance.apply(geometry.warp_image(second), rng)
    elif second is not None:
        second = geometry.warp_disparity(second)
    soft_labels = example.soft_labels
    if soft_labels is not None:
        soft_labels = geometry.warp_soft_labels(soft_labels, (height, width))
    return example._replace(
        image=appearance.apply(geometry.warp_image(example.image), rng),
        labels=geometry.warp_labels(example.labels),
        second=second,
        right_labels=None,
        soft_labels=soft_labels,
    )


_PREFETCHED_BATCHES = 4


class Batch(NamedTuple):
    """Augmented samples of one size.

    Attributes:
      images: uint8 (B, h, w, 3) RGB.
      labels: uint8 (B, h, w).
      names: B sample names.
      dataset: int (B,), index of each sample's dataset in the experiment; 0 if there is one.
      second: None, or the right images, uint8 (B, h, w, 3) RGB, or the disparities, float32
        (B, h, w, 1), pixels at the crop's width, 0 where unknown.
      soft_labels: None, or uint8 (B, ceil(h / 2), ceil(w / 2), C), of every second pixel of
        each axis; zeros are void.
    """

    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    dataset: np.ndarray
    second: np.ndarray | None
    soft_labels: np.ndarray | None = None


class SampleSource:
    """Reads samples by index, from any thread; the next readable one replaces an unreadable one.

    Attributes:
      skipped: name -> reason, of the samples that could not be read so far.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        cache: bool = False,
        soft_labels: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        """Takes the samples.

        Args:
          samples: what to read.
          cache: keep what was read in memory, 4 bytes a pixel, second inputs apart; not soft
            labels, which are larger and on the disk.
          soft_labels: gives those of an image, from any thread; None leaves them out.
        """
        self._soft_labels = soft_labels
        self._samples = samples
        self._cache: dict[int, Example] | None = {} if cache else None
        self._lock = threading.Lock()
        self.skipped: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Example:
        """Returns a sample, or the next one that can be read.

        Raises:
          DatasetError: no sample can be read, or one does not fit its declaration.
        """
        for offset in range(len(self)):
            example = self._read((index + offset) % len(self))
            if example is not None:
                return self._with_soft_labels(example)
        raise DatasetError(f"none of the {len(self)} samples can be read")

    def _read(self, index: int) -> Example | None:
        if self._cache is not None and index in self._cache:
            return self._cache[index]
        sample = self._samples[index]
        if sample.name in self.skipped:
            return None
        try:
            example = _example(sample)
        except ImageError as error:
            self._skip(sample.name, str(error))
            return None
        if self._cache is not None:
            self._cache[index] = example
        return example

    def _with_soft_labels(self, example: Example) -> Example:
        if self._soft_labels is None:
            return example
        return example._replace(soft_labels=self._soft_labels(example.image))

    def _skip(self, name: str, reason: str) -> None:
        with self._lock:
            if name not in self.skipped:
                self.skipped[name] = reason
                _LOG.warning("sample %s is skipped: %s", name, reason)


def batches(
    sources: SampleSource | Sequence[SampleSource],
    augmentation: AugmentationConfig,
    batch_size: int,
    *,
    seed: int,
    start: int = 0,
    threads: int = 2,
    weights: Sequence[float] | None = None,
    class_uniform: Sequence[ClassUniform | None] | None = None,
    share: tuple[int, int] = (0, 1),
) -> Iterator[Batch]:
    """Yields augmented batches for ever; each source is shuffled anew in each pass over it.

    Args:
      sources: what is read: one dataset, or several in the order of the experiment.
      augmentation: what is done to each sample; without a crop all images must have one size.
      batch_size: samples in a batch.
      seed: batch k depends on it and on k alone, not on ``threads``.
      start: number of the first batch, so that a resumed run goes on where it was.
      threads: threads that read and augment ahead.
      weights: how often each source is drawn from, see ``mixing.draws``.
      class_uniform: what makes rare classes of each source frequent, see ``mixing.draws``.
      share: (index, count) of the equal share of each batch that is read, for one of several
        hosts; only ``class_mix``, which stays within a share, depends on the count.

    Yields:
      Batches of ``batch_size`` samples, or of a share of it.

    Raises:
      ConfigError: images of different sizes and no crop.
      DatasetError: no sample can be read, or one does not fit its declaration.
    """
    sources = [sources] if isinstance(sources, SampleSource) else sources
    sizes = [len(source) for source in sources]
    index, count = share
    dataset = (
        draws(sizes, seed, weights, class_uniform)
        .seed(seed)
        .map(partial(_read, sources))
        .random_map(lambda example, rng: augment_example(example, rng, augmentation))
        .slice(slice(index, None, count))
        .batch(batch_size // count, batch_fn=_stack)
        .random_map(lambda batch, rng: _mix_classes(batch, rng, augmentation.class_mix))
    )
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=_PREFETCHED_BATCHES)
    return iter(dataset[start:].to_iter_dataset(options))


def _example(sample: Sample) -> Example:
    image, labels = sample.read()
    second, right_labels = sample.read_second(), sample.read_right_labels()
    sizes = [each.shape[:2] for each in (image, second, right_labels) if each is not None]
    if len(set(sizes)) > 1:
        found = ", ".join(f"{height}x{width}" for height, width in sizes)
        raise DatasetError(
            f"{sample.name}: image, second input and its labels are {found}; expected one size"
        )
    return Example(sample.name, image, labels, second, right_labels)


def _read(sources: Sequence[SampleSource], draw: Draw) -> Example:
    example = sources[draw.dataset][draw.sample]
    return example._replace(dataset=draw.dataset, focus=draw.focus)


def _stack(examples: Sequence[Example]) -> Batch:
    sizes = {example.image.shape[:2] for example in examples}
    if len(sizes) > 1:
        found = " and ".join(f"{height}x{width}" for height, width in sorted(sizes))
        raise ConfigError(f"images of {found} fit in no batch: give the augmentation a crop")
    seconds = [example.second for example in examples if example.second is not None]
    softs = [example.soft_labels for example in examples if example.soft_labels is not None]
    return Batch(
        images=np.stack([example.image for example in examples]),
        labels=np.stack([example.labels for example in examples]),
        names=tuple(example.name for example in examples),
        dataset=np.array([example.dataset for example in examples]),
        second=np.stack(seconds) if seconds else None,
        soft_labels=np.stack(softs) if softs else None,
    )


def _mix_classes(batch: Batch, rng: np.random.Generator, probability: float) -> Batch:
    pastes = draw_pastes(_shown_classes(batch), batch.dataset, rng, probability)
    if not pastes:
        return batch
    second, soft = batch.second, batch.soft_labels
    if second is not None and second.dtype == np.uint8:
        raise ConfigError(
            "augmentation.class_mix cannot be used with right images: where the pasted pixels "
            "are in them is not known"
        )
    return batch._replace(
        images=paste(batch.images, pastes),
        labels=paste(batch.labels, pastes),
        second=None if second is None else paste(second, pastes),
        soft_labels=None if soft is None else paste_cells(soft, pastes),
    )


def _shown_classes(batch: Batch) -> np.ndarray:
    """The labels that say what is pasted; of an image without any, what its soft labels say.

    That is the mixing of Olsson et al., who have no labels of the images that are mixed.
    """
    if batch.soft_labels is None:
        return batch.labels
    height, width = batch.labels.shape[1:]
    shown = batch.labels.copy()
    for index in np.flatnonzero((batch.labels == IGNORE).all(axis=(1, 2))):
        said = labels_of(batch.soft_labels[index])
        shown[index] = said.repeat(CELL, axis=0).repeat(CELL, axis=1)[:height, :width]
    return shown
