#!/usr/bin/env python3
"""The node around a segmenter of known labels and known latency (~latency, seconds).

It takes all parameters of cameras. cv_bridge is hidden from it: the node must not need it.
"""

import sys
import time

import numpy as np
import rospy

from semseg.classes import ClassTable
from semseg.ros.entry import run_node
from semseg.runtime.geometry import Fit
from semseg.runtime.segmenter import Segmentation, Timing

NETWORK_SIZE = (24, 32)


class StubSegmenter:
    """Labels each pixel with its strongest channel, a grey one by its brightness."""

    classes = ClassTable.create(["red", "green", "blue"], [(255, 0, 0), (0, 255, 0), (0, 0, 255)])
    digest = "stub"
    engine = "stub"
    precision = "exact"

    def __init__(self, latency_s):
        self._latency_s = latency_s

    def segment(self, image, probabilities=False):
        time.sleep(self._latency_s)
        shares = None
        if probabilities:
            shares = (image / image.sum(axis=2, keepdims=True)).astype(np.float32)
        is_grey = np.ptp(image, axis=2) == 0
        labels = np.where(is_grey, image[..., 1] // 86, image.argmax(axis=2)).astype(np.uint8)
        confidence = image.max(axis=2).astype(np.float32) / 255
        return Segmentation(labels, confidence, shares, Timing(0.0, 1e3 * self._latency_s, 0.0))

    def fit(self, image_size):
        return Fit.create(image_size, NETWORK_SIZE, "letterbox")


def main():
    sys.modules["cv_bridge"] = None
    from semseg.ros.node import SegmenterNode
    from semseg.ros.options import node_options
    from semseg.ros.parameters import private_parameters

    parameters = private_parameters()
    segmenter = StubSegmenter(parameters.pop("latency", 0.0))
    node = SegmenterNode(segmenter, "stub.pb", node_options(parameters).cameras)
    node.start()
    rospy.spin()
    node.stop()
    return 1 if node.failed else 0


if __name__ == "__main__":
    run_node("segmenter", main)
