#!/usr/bin/env python3
"""Compares a segmenter's labels with the true labels of a playback; ends with it."""

from typing import NamedTuple

from semseg.command_line import BAD_VERDICT, DONE
from semseg.errors import ConfigError
from semseg.ros.entry import run_node
from semseg.ros.parameters import read_parameters


class Parameters(NamedTuple):
    """The node's private parameters; docs/segmenter_node.md explains them."""

    report: str = ""
    sheet: str = ""
    video: str = ""
    player: str = ""
    min_mean_iou: float = 0.0


def main():
    # Here, under rospy's signal handler: importing OpenCV swallows Python's own Ctrl-C.
    from semseg.ros.evaluator import Evaluator, Outputs

    parameters = read_parameters(Parameters)
    if not parameters.report:
        raise ConfigError("parameter ~report: expected the path of a JSON file, found none")
    evaluator = Evaluator(Outputs(parameters.report, parameters.sheet, parameters.video))
    good = evaluator.run(parameters.player, parameters.min_mean_iou)
    return DONE if good else BAD_VERDICT


if __name__ == "__main__":
    run_node("evaluator", main)
