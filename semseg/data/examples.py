"""Examples: samples that were read, and how all of their parts are augmented alike."""

from typing import NamedTuple

import numpy as np

from semseg.data.augmentation import AugmentationConfig, draw_appearance, draw_geometry


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
