#!/usr/bin/env python3
"""Plays a folder of images or a video on camera/image_raw; see docs/segmenter_node.md."""

from typing import NamedTuple

from semseg.command_line import BAD_VERDICT, DONE, parse_size
from semseg.errors import ConfigError
from semseg.ros.entry import run_node
from semseg.ros.parameters import read_parameters


class Parameters(NamedTuple):
    """The node's private parameters; docs/segmenter_node.md explains them."""

    images: str = ""
    rate: float = 10.0
    size: str = ""
    loop: bool = False
    frame_id: str = "camera_optical_frame"
    wait_for: str = ""


def main():
    # Here, under rospy's signal handler: importing OpenCV swallows Python's own Ctrl-C.
    import rospy
    from std_msgs.msg import Bool

    from semseg.ros.playback.image_player import ImagePlayer

    parameters = read_parameters(Parameters)
    if not parameters.images:
        raise ConfigError("parameter ~images: expected a folder, a pattern or a video, found none")
    size = parse_size(parameters.size) if parameters.size else None
    player = ImagePlayer("camera/image_raw", parameters.frame_id, size)
    if parameters.wait_for:
        rospy.wait_for_message(parameters.wait_for, Bool)
    skipped = player.play(parameters.images, parameters.rate, parameters.loop)
    return BAD_VERDICT if skipped else DONE


if __name__ == "__main__":
    run_node("image_publisher", main)
