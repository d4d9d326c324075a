"""Learning a few samples by heart, which a sound network on sound data can."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semseg.data import AugmentationConfig, Sample
from semseg.data.samples.samples import ChangedSample
from semseg.runtime.images.geometry import resize_labels
from semseg.training.inputs import resized

WITHOUT_CHANGE = AugmentationConfig(flip=0.0)


@dataclass(frozen=True)
class ResizedSample(ChangedSample):
    """A ``Sample`` at the network's size, as validation and the robot resize it.

    Attributes:
      size: the network's (height, width).
    """

    size: tuple[int, int]

    def _changed_image(self, image: np.ndarray) -> np.ndarray:
        return resized(image, self.size)

    def _changed_labels(self, labels: np.ndarray) -> np.ndarray:
        return resize_labels(labels, self.size)


def by_heart(samples: Sequence[Sample], size: tuple[int, int]) -> list[Sample]:
    """Returns samples at the network's (height, width), so that whole images make a batch."""
    return [ResizedSample(sample, size) for sample in samples]
