"""The messages that the node makes of one segmented frame; each is a function of it alone."""

from functools import partial
from typing import Any, Callable, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from semseg.classes import ClassTable
from semseg.msg import ClassDistribution
from semseg.node.masks import mask
from semseg.node.options import CameraOptions
from semseg.ros.label_info import distribution_message
from semseg.ros.messages import image_message, png_message
from semseg.runtime.images import render

CONFIDENCE = "confidence"
PROBABILITIES = "probabilities"


class Result(NamedTuple):
    """One segmented camera frame.

    Attributes:
      header: the camera image's header.
      image: RGB, uint8 (H, W, 3): the camera's image, at the outputs' size.
      segmentation: its ``runtime.Segmentation``, of the same size.
      classes: the classes of its labels.
      camera_info: of images of that size, with the header of this one; None if unknown.
    """

    header: Header
    image: np.ndarray
    segmentation: Any
    classes: ClassTable
    camera_info: Optional[CameraInfo]


class Output(NamedTuple):
    """A topic that is computed from a result.

    Attributes:
      name: of the topic, in the camera's namespace.
      kind: type of its messages.
      message: makes the message; None if this result has no such thing.
    """

    name: str
    kind: type
    message: Callable[[Result], Any]


def outputs(options: CameraOptions, masks: Mapping[str, Tuple[str, ...]]) -> List[Output]:
    """Lists the outputs that need inference.

    Args:
      options: of the camera.
      masks: topic name of a mask -> names of the classes that it covers.
    """
    listed = [
        Output("labels", Image, partial(_labels, options.label_encoding)),
        Output(
            "labels/compressed",
            CompressedImage,
            partial(_compressed_labels, options.label_encoding),
        ),
        Output("color", Image, _color),
        Output("overlay", Image, partial(_overlay, options.overlay_alpha, options.overlay_legend)),
        Output(CONFIDENCE, Image, _confidence),
        Output(PROBABILITIES, Image, _probabilities),
        Output("class_distribution", ClassDistribution, _distribution),
    ]
    return listed + [
        Output("mask/" + topic, Image, partial(_mask, names)) for topic, names in masks.items()
    ]


def _labels(encoding, result):
    return image_message(result.header, result.segmentation.labels, encoding)


def _compressed_labels(encoding, result):
    return png_message(result.header, result.segmentation.labels, encoding)


def _color(result):
    color = render.colorize(result.segmentation.labels, result.classes)
    return image_message(result.header, color, "rgb8")


def _overlay(alpha, legend, result):
    overlay = render.overlay(result.image, result.segmentation.labels, result.classes, alpha)
    if legend:
        render.draw_legend(overlay, result.classes)
    return image_message(result.header, overlay, "rgb8")


# What a listener came too late for is None: the next frame has it.
def _confidence(result):
    confidence = result.segmentation.confidence
    if confidence is None:
        return None
    return image_message(result.header, np.rint(confidence * 255).astype(np.uint8), "mono8")


def _probabilities(result):
    probabilities = result.segmentation.probabilities
    if probabilities is None:
        return None
    return image_message(result.header, probabilities, "32FC%d" % probabilities.shape[2])


def _distribution(result):
    return distribution_message(
        result.header, result.segmentation.labels, result.classes.num_classes
    )


def _mask(names, result):
    covered = mask(result.segmentation.labels, names, result.classes)
    return image_message(result.header, covered, "mono8")
