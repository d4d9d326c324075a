"""Agreement of two models: where they differ, at least one is wrong."""

import numpy as np

from semseg.classes import ClassTable
from semseg.data.declarations.class_map import IGNORED, ClassMap
from semseg.errors import ConfigError
from semseg.evaluation.frames.frames import Frame, ImageSegmenter
from semseg.evaluation.report.gallery import Highest, error_map
from semseg.evaluation.report.page import Strip, encoded
from semseg.metrics import ConfusionMatrix
from semseg.runtime.images.geometry import resize_image
from semseg.runtime.images.render import overlay

_WIDTH = 480


class Agreement:
    """Compares the labels of frames with those of another model.

    Classes are matched by name. A class that one of the two does not know counts as
    disagreement where the other sees it.

    Args:
      classes: the classes of the labels.
      other: the other model.
      shown: how many frames of the least agreement are kept to look at, one of each second.

    Attributes:
      classes: those.
      per_frame: for each frame the share of its pixels that both models label alike, 0..1.
      confusion: over all frames; rows are the labels, columns the other model's.

    Raises:
      ConfigError: the two have no class in common.
    """

    def __init__(self, classes: ClassTable, other: ImageSegmenter, shown: int = 6) -> None:
        self.classes = classes
        self.per_frame: list[float] = []
        self.confusion = ConfusionMatrix(classes.num_classes)
        self._other = other
        self._disputed: Highest[Strip] = Highest(shown)
        own_names = set(other.classes.names) - set(classes.names)
        if len(own_names) == other.classes.num_classes:
            raise ConfigError(
                f"the models have no class in common: {', '.join(classes.names)};"
                f" and {', '.join(other.classes.names)}"
            )
        self._map = ClassMap.create(other.classes, classes, dict.fromkeys(own_names, IGNORED))

    def add(self, frame: Frame, labels: np.ndarray) -> None:
        """Compares the labels, uint8 (H, W), of the next frame; raises ``ImageError``."""
        found = self._other.segment(frame.image, frame.second, confidence=False)
        others = self._map.table[found.labels]
        confusion = ConfusionMatrix(self.classes.num_classes)
        confusion.update(labels, others)
        self.confusion.merge(confusion)
        self.per_frame.append(confusion.pixel_accuracy)
        self._disputed.offer(
            -confusion.pixel_accuracy, frame.stamp_ns, lambda: self._draw(frame, labels, others)
        )

    @property
    def pixels(self) -> float:
        """Share of all pixels that both models label alike, 0..1; NaN without any."""
        return self.confusion.pixel_accuracy

    @property
    def disputed(self) -> list[Strip]:
        """The frames of the least agreement, the least first."""
        return self._disputed.in_order()

    def _draw(self, frame: Frame, labels: np.ndarray, others: np.ndarray) -> Strip:
        height, width = labels.shape
        size = (round(height * min(1, _WIDTH / width)), min(width, _WIDTH))
        drawn = {
            "image": frame.image,
            "model": overlay(frame.image, labels, self.classes),
            "other model": overlay(frame.image, others, self.classes),
            "they differ (red)": error_map(frame.image, labels, others),
        }
        pictures = {
            title: encoded(resize_image(picture, size, "area")) for title, picture in drawn.items()
        }
        return Strip(f"{frame.name}: {100 * self.per_frame[-1]:.1f} % alike", pictures)
