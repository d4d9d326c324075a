#!/usr/bin/env python3
"""Segments camera topics with a frozen graph; see docs/segmenter_node.md."""

from semseg.command_line import BAD_VERDICT, DONE
from semseg.ros.entry import run_node


def main():
    # Here, under rospy's signal handler: importing OpenCV swallows Python's own Ctrl-C.
    import rospy

    from semseg.node.models import ModelLoader
    from semseg.node.options import node_options
    from semseg.ros.parameters import private_parameters
    from semseg.ros.segmenter_node import SegmenterNode

    options = node_options(private_parameters())
    wanted = options.model
    loader = ModelLoader(wanted, len(options.cameras))
    node = SegmenterNode(
        loader.load(wanted.model),
        options.cameras,
        reduced=loader.load(wanted.fallback_model) if wanted.fallback_model else None,
        target_rate_hz=wanted.target_rate,
        load=loader.load_requested,
    )
    node.start()
    rospy.spin()
    node.stop()
    return BAD_VERDICT if node.failed else DONE


if __name__ == "__main__":
    run_node("segmenter", main)
