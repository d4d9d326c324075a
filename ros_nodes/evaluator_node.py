#!/usr/bin/env python3
"""Watches a segmenter at a playback, compares its labels with the true ones; ends with it."""

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
    transport: str = "raw"
    labelled: bool = True
    min_miou: float = 0.0
    max_latency: float = 0.0


def main():
    # Here, under rospy's signal handler: importing OpenCV swallows Python's own Ctrl-C.
    from semseg.ros.playback.evaluator import Evaluator, Outputs
    from semseg.ros.playback.live_evaluation import Bars

    parameters = read_parameters(Parameters)
    if not parameters.report:
        raise ConfigError("parameter ~report: expected the path of a JSON file, found none")
    outputs = Outputs(parameters.report, parameters.sheet, parameters.video)
    bars = Bars(parameters.labelled, parameters.min_miou, parameters.max_latency)
    good = Evaluator(outputs, bars, parameters.transport).run(parameters.player)
    return DONE if good else BAD_VERDICT


if __name__ == "__main__":
    run_node("evaluator", main)
