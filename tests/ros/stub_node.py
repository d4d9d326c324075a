#!/usr/bin/env python3
"""The node around a segmenter of known labels and known latency.

It takes all parameters of cameras, and of its own: ~latency (seconds), ~second (right or
disparity), and ~reduced_latency and ~target_rate, which give it a second model.
cv_bridge is hidden from it: the node must not need it.
"""

import sys
import time

import numpy as np
import rospy

from semseg.classes import ClassTable
from semseg.errors import GraphError
from semseg.node.models import Model
from semseg.ros.entry import run_node
from semseg.runtime.images.geometry import Fit
from semseg.runtime.segmenter import Segmentation, Timing

NETWORK_SIZE = (24, 32)
COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
LOADING_S = 1.0


class StubSegmenter:
    """Labels each pixel with its strongest channel, a grey one by its brightness.

    With a second image it labels that one; a disparity is its own label.
    """

    engine = "stub"
    precision = "exact"
    refusals = ()
    head = None

    def __init__(self, latency_s, digest="stub", reverse=False):
        self.digest = digest
        names = sorted(COLORS, key=list(COLORS).index, reverse=reverse)
        self.classes = ClassTable.create(names, [COLORS[name] for name in names])
        self._latency_s = latency_s
        self._reverse = reverse

    def segment(self, image, second=None, probabilities=False, confidence=True):
        time.sleep(self._latency_s)
        image = image if second is None else second
        timing = Timing(0.0, 1e3 * self._latency_s, 0.0)
        if image.ndim == 2:
            labels = image.astype(np.uint8)
            sure = np.ones(image.shape, np.float32) if confidence else None
            return Segmentation(labels, sure, None, timing)
        shares = None
        if probabilities:
            shares = (image / image.sum(axis=2, keepdims=True)).astype(np.float32)
        is_grey = np.ptp(image, axis=2) == 0
        labels = np.where(is_grey, image[..., 1] // 86, image.argmax(axis=2)).astype(np.uint8)
        labels = 2 - labels if self._reverse else labels
        sure = image.max(axis=2).astype(np.float32) / 255 if confidence else None
        return Segmentation(labels, sure, shares, timing)

    def fit(self, image_size):
        return Fit.create(image_size, NETWORK_SIZE, "letterbox")

    def close(self):
        self.segment = None  # It must not be used any more.


def load(name):
    """Loads, slowly, the model that has the classes in reverse; everything else is refused."""
    time.sleep(LOADING_S)
    if name != "reverse":
        raise GraphError("%s: no such stub" % name)
    return Model("reverse.pb", StubSegmenter(0.0, "reverse", reverse=True))


def main():
    sys.modules["cv_bridge"] = None
    from semseg.node.options import node_options
    from semseg.ros.parameters import private_parameters
    from semseg.ros.segmenter_node import SegmenterNode

    own = private_parameters()
    latency_s, second = own.pop("latency", 0.0), own.pop("second", None)
    reduced_latency_s, target_rate_hz = own.pop("reduced_latency", None), own.pop("target_rate", 0)
    reduced = None
    if reduced_latency_s is not None:
        reduced = Model("reduced.pb", StubSegmenter(reduced_latency_s, "reduced"))
    node = SegmenterNode(
        Model("stub.pb", StubSegmenter(latency_s), second),
        node_options(own).cameras,
        reduced=reduced,
        target_rate_hz=target_rate_hz,
        load=load,
    )
    node.start()
    rospy.spin()
    node.stop()
    return 1 if node.failed else 0


if __name__ == "__main__":
    run_node("segmenter", main)
