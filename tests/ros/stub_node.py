#!/usr/bin/env python3
"""The node around a segmenter of known labels and known latency (~latency, seconds)."""

import time

import numpy as np
import rospy

from semseg.classes import ClassTable
from semseg.ros.entry import run_node
from semseg.ros.node import SegmenterNode
from semseg.runtime.segmenter import Segmentation, Timing


class StubSegmenter:
    """Labels each pixel with its strongest channel."""

    classes = ClassTable.create(["red", "green", "blue"], [(255, 0, 0), (0, 255, 0), (0, 0, 255)])
    digest = "stub"
    engine = "stub"

    def __init__(self, latency_s):
        self._latency_s = latency_s

    def segment(self, image, probabilities=False):
        time.sleep(self._latency_s)
        shares = None
        if probabilities:
            shares = (image / image.sum(axis=2, keepdims=True)).astype(np.float32)
        labels = image.argmax(axis=2).astype(np.uint8)
        confidence = image.max(axis=2).astype(np.float32) / 255
        return Segmentation(labels, confidence, shares, Timing(0.0, 1e3 * self._latency_s, 0.0))


def main():
    node = SegmenterNode(StubSegmenter(rospy.get_param("~latency", 0.0)), model="stub.pb")
    node.start()
    rospy.spin()
    node.stop()


if __name__ == "__main__":
    run_node("segmenter", main)
