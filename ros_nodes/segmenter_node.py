#!/usr/bin/env python3
"""Segments camera topics with a frozen graph; see docs/segmenter_node.md."""

import os
from typing import NamedTuple

import rospy

from semseg.command_line import parse_size
from semseg.profiles import model_path, shipped_profiles
from semseg.ros.entry import run_node
from semseg.ros.parameters import read_parameters


class Parameters(NamedTuple):
    """The node's private parameters; docs/segmenter_node.md explains them."""

    model: str = "reduced"
    models: dict = {}
    input_size: str = ""
    engine: str = "auto"
    precision: str = "auto"
    threads: int = 0
    transport: str = "raw"
    cameras: list = []
    overlay_alpha: float = 0.5


def main():
    # Here, under rospy's signal handler: importing OpenCV swallows Python's own Ctrl-C.
    from semseg.ros.node import SegmenterNode
    from semseg.runtime import Segmenter

    parameters = read_parameters(Parameters)
    path = model_path(parameters.model, dict(shipped_profiles(), **parameters.models))
    segmenter = Segmenter.load(
        path,
        engine=parameters.engine,
        input_size=parse_size(parameters.input_size) if parameters.input_size else None,
        precision=parameters.precision,
        threads=parameters.threads or None,
    )
    node = SegmenterNode(
        segmenter,
        model=os.path.basename(path),
        cameras=parameters.cameras,
        transport=parameters.transport,
        overlay_alpha=parameters.overlay_alpha,
    )
    node.start()
    rospy.spin()
    node.stop()
    return 1 if node.failed else 0


if __name__ == "__main__":
    run_node("segmenter", main)
