"""Learning a few samples by heart, which a sound network on sound data can."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semseg.data import AugmentationConfig, Sample
from semseg.runtime.geometry import resize_labels
from semseg.training.inputs import resized

WITHOUT_CHANGE = AugmentationConfig(flip=0.0)


@dataclass(frozen=True)
class ResizedSample:
    """A ``Sample`` at the network's size, as validation and the robot resize it."""

    sample: Sample
    size: tuple[int, int]

    @property
    def name(self) -> str:
        """The sample's name."""
        return self.sample.name

    @property
    def image_path(self) -> Path | None:
        """The image's file."""
        return self.sample.image_path

    @property
    def label_path(self) -> Path | None:
        """The label file."""
        return self.sample.label_path

    def read_image(self) -> np.ndarray:
        """Returns the image, uint8 (h, w, 3) RGB."""
        return resized(self.sample.read_image(), self.size)

    def read_labels(self) -> np.ndarray:
        """Returns the labels, uint8 (h, w)."""
        return resize_labels(self.sample.read_labels(), self.size)

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns image and labels."""
        image, labels = self.sample.read()
        return resized(image, self.size), resize_labels(labels, self.size)

    def read_second(self) -> np.ndarray | None:
        """Returns the second input at the network's size."""
        second = self.sample.read_second()
        return None if second is None else resized(second, self.size)

    def read_right_labels(self) -> np.ndarray | None:
        """Returns the labels of the right image, uint8 (h, w)."""
        labels = self.sample.read_right_labels()
        return None if labels is None else resize_labels(labels, self.size)


def by_heart(samples: Sequence[Sample], size: tuple[int, int]) -> list[Sample]:
    """Returns samples at the network's (height, width), so that whole images make a batch."""
    return [ResizedSample(sample, size) for sample in samples]
