#!/usr/bin/env python3
"""The node around a segmenter of known latency (~latency, seconds)."""

import rospy

from semseg.ros.entry import run_node
from semseg.ros.node import SegmenterNode
from semseg.ros.stub import StubSegmenter


def main():
    node = SegmenterNode(StubSegmenter(rospy.get_param("~latency", 0.0)), model="stub.pb")
    node.start()
    rospy.spin()
    node.stop()


if __name__ == "__main__":
    run_node("segmenter", main)
