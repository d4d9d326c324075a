"""What the node publishes for one camera; each output is computed only while someone listens.

Each message is a function of one segmented frame alone.
"""

from functools import partial
from typing import Any, Callable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import rospy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from semseg.msg import ClassDistribution
from semseg.node.masks import mask
from semseg.node.options import CameraOptions
from semseg.node.ports import Result, Sink
from semseg.ros.label_info import distribution_message
from semseg.ros.messages import image_message, png_message
from semseg.runtime.images import render

CONFIDENCE = "confidence"
PROBABILITIES = "probabilities"


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
    return image_message(result.message.header, result.segmentation.labels, encoding)


def _compressed_labels(encoding, result):
    return png_message(result.message.header, result.segmentation.labels, encoding)


def _color(result):
    color = render.colorize(result.segmentation.labels, result.classes)
    return image_message(result.message.header, color, "rgb8")


def _overlay(alpha, legend, result):
    overlay = render.overlay(result.image, result.segmentation.labels, result.classes, alpha)
    if legend:
        render.draw_legend(overlay, result.classes)
    return image_message(result.message.header, overlay, "rgb8")


# What a listener came too late for is None: the next frame has it.
def _confidence(result):
    confidence = result.segmentation.confidence
    if confidence is None:
        return None
    return image_message(result.message.header, np.rint(confidence * 255).astype(np.uint8), "mono8")


def _probabilities(result):
    probabilities = result.segmentation.probabilities
    if probabilities is None:
        return None
    return image_message(result.message.header, probabilities, "32FC%d" % probabilities.shape[2])


def _distribution(result):
    return distribution_message(
        result.message.header, result.segmentation.labels, result.classes.num_classes
    )


def _mask(names, result):
    covered = mask(result.segmentation.labels, names, result.classes)
    return image_message(result.message.header, covered, "mono8")


# A listener that lags by more frames than this loses the oldest; the worker never waits for it.
QUEUE_SIZE = 5


class _Listeners(rospy.SubscribeListener):
    """Says that a listener came or went; rospy calls it after counting."""

    def __init__(self, changed):
        self._changed = changed

    def peer_subscribe(self, topic_name, topic_publish, peer_publish):
        self._changed()

    def peer_unsubscribe(self, topic_name, num_peers):
        self._changed()


class CameraPublishers(Sink):
    """The output topics of one camera.

    Args:
      prefix: what precedes the topics' names, such as ``~`` or ``~front/``.
      outputs: what is published there.
      changed: called, from rospy's threads, when a listener came or went; must not wait.
      info_of: returns the camera info of a result's images; None if it is unknown.
    """

    def __init__(
        self,
        prefix: str,
        outputs: Sequence[Output],
        changed: Callable[[], None],
        info_of: Callable[[Result], Optional[CameraInfo]],
    ):
        listeners = _Listeners(changed)
        self._outputs = outputs
        self._info_of = info_of
        self._publishers = {
            output.name: rospy.Publisher(
                prefix + output.name, output.kind, listeners, queue_size=QUEUE_SIZE
            )
            for output in outputs
        }
        self._camera_info = rospy.Publisher(
            prefix + "camera_info", CameraInfo, queue_size=QUEUE_SIZE
        )

    @property
    def wanted(self) -> bool:
        """Whether anyone listens to an output that needs inference."""
        return any(publisher.get_num_connections() for publisher in self._publishers.values())

    @property
    def probabilities_wanted(self) -> bool:
        """Whether anyone listens to the probabilities."""
        return self._publishers[PROBABILITIES].get_num_connections() > 0

    @property
    def confidence_wanted(self) -> bool:
        """Whether anyone listens to the confidence."""
        return self._publishers[CONFIDENCE].get_num_connections() > 0

    def publish(self, result: Result) -> None:
        """Computes and publishes the outputs that have listeners."""
        info = self._info_of(result)
        for output in self._outputs:
            publisher = self._publishers[output.name]
            message = output.message(result) if publisher.get_num_connections() else None
            if message is not None:
                publisher.publish(message)
        if info is not None:
            self._camera_info.publish(info)
