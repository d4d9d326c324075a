#!/usr/bin/env python3
"""Segments camera topics with a frozen graph; see docs/segmenter_node.md."""

import os

import rospy

from semseg.command_line import BAD_VERDICT, DONE, parse_size
from semseg.profiles import model_path, shipped_profiles
from semseg.ros.entry import run_node


def main():
    # Here, under rospy's signal handler: importing OpenCV swallows Python's own Ctrl-C.
    from semseg.ros.node import SegmenterNode
    from semseg.ros.options import read_options
    from semseg.runtime import Segmenter

    options = read_options()
    wanted = options.model
    path = model_path(wanted.model, dict(shipped_profiles(), **wanted.models))
    segmenter = Segmenter.load(
        path,
        engine=wanted.engine,
        input_size=parse_size(wanted.input_size) if wanted.input_size else None,
        precision=wanted.precision,
        threads=wanted.threads or None,
    )
    node = SegmenterNode(segmenter, os.path.basename(path), options.cameras)
    node.start()
    rospy.spin()
    node.stop()
    return BAD_VERDICT if node.failed else DONE


if __name__ == "__main__":
    run_node("segmenter", main)
