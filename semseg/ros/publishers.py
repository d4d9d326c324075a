"""What the node publishes for one camera; each output is computed only while someone listens."""

from typing import Any, NamedTuple, Optional

import numpy as np
import rospy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from semseg.classes import ClassTable
from semseg.errors import ConfigError
from semseg.msg import ClassDistribution
from semseg.ros.label_info import distribution_message
from semseg.ros.messages import copy_header, image_message, png_message
from semseg.runtime import render

# A listener that lags by more frames than this loses the oldest; the worker never waits for it.
QUEUE_SIZE = 5
PROBABILITIES = "probabilities"


class Result(NamedTuple):
    """One segmented camera frame.

    Attributes:
      header: the camera image's header.
      image: RGB, uint8 (H, W, 3).
      segmentation: its ``runtime.Segmentation``, of the same size.
      camera_info: the camera's newest ``CameraInfo``, or None.
    """

    header: Header
    image: np.ndarray
    segmentation: Any
    camera_info: Optional[CameraInfo]


class CameraPublishers:
    """The output topics of one camera.

    Args:
      prefix: what precedes the topics' names, such as ``~`` or ``~front/``.
      classes: the classes of the labels.
      overlay_alpha: weight of the colours in the overlay, 0..1.

    Raises:
      ConfigError: the weight is out of its range.
    """

    def __init__(self, prefix: str, classes: ClassTable, overlay_alpha: float):
        if not 0 <= overlay_alpha <= 1:
            raise ConfigError("parameter ~overlay_alpha: expected 0..1, found %g" % overlay_alpha)
        self._classes = classes
        self._overlay_alpha = overlay_alpha
        outputs = (
            ("labels", Image, self._labels),
            ("labels/compressed", CompressedImage, self._compressed_labels),
            ("color", Image, self._color),
            ("overlay", Image, self._overlay),
            ("confidence", Image, self._confidence),
            (PROBABILITIES, Image, self._probabilities),
            ("class_distribution", ClassDistribution, self._distribution),
        )
        self._outputs = {
            name: (rospy.Publisher(prefix + name, kind, queue_size=QUEUE_SIZE), compute)
            for name, kind, compute in outputs
        }
        self._camera_info = rospy.Publisher(
            prefix + "camera_info", CameraInfo, queue_size=QUEUE_SIZE
        )

    @property
    def wanted(self) -> bool:
        """Whether anyone listens to an output that needs inference."""
        return any(publisher.get_num_connections() for publisher, _ in self._outputs.values())

    @property
    def probabilities_wanted(self) -> bool:
        """Whether anyone listens to the probabilities."""
        return self._outputs[PROBABILITIES][0].get_num_connections() > 0

    def publish(self, result: Result) -> None:
        """Computes and publishes the outputs that have listeners."""
        for publisher, compute in self._outputs.values():
            if publisher.get_num_connections():
                message = compute(result)
                if message is not None:
                    publisher.publish(message)
        if self._camera_info.get_num_connections() and _fits(result):
            self._camera_info.publish(_with_header(result.camera_info, result.header))

    def _labels(self, result):
        return image_message(result.header, result.segmentation.labels, "mono8")

    def _compressed_labels(self, result):
        return png_message(result.header, result.segmentation.labels)

    def _color(self, result):
        color = render.colorize(result.segmentation.labels, self._classes)
        return image_message(result.header, color, "rgb8")

    def _overlay(self, result):
        overlay = render.overlay(
            result.image, result.segmentation.labels, self._classes, self._overlay_alpha
        )
        return image_message(result.header, overlay, "rgb8")

    def _confidence(self, result):
        confidence = np.rint(result.segmentation.confidence * 255).astype(np.uint8)
        return image_message(result.header, confidence, "mono8")

    def _probabilities(self, result):
        probabilities = result.segmentation.probabilities
        if probabilities is None:  # The listener came after the inference; the next frame has them.
            return None
        return image_message(result.header, probabilities, "32FC%d" % probabilities.shape[2])

    def _distribution(self, result):
        return distribution_message(
            result.header, result.segmentation.labels, self._classes.num_classes
        )


def _fits(result):
    info = result.camera_info
    return info is not None and (info.height, info.width) == result.image.shape[:2]


def _with_header(info, header):
    fields = {name: getattr(info, name) for name in CameraInfo.__slots__}
    return CameraInfo(**dict(fields, header=copy_header(header)))
