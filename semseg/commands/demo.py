"""Plays a bag of the synthetic town through the node and compares its labels with the truth."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from semseg import command_line, town
from semseg.bags import BagWriter
from semseg.commands.playback import play_through_node, table
from semseg.errors import GraphError
from semseg.evaluation.frames.frames import Frame, Frames
from semseg.evaluation.frames.video import VideoReader, VideoWriter
from semseg.evaluation.outputs.bag_output import record
from semseg.profiles import model_path
from semseg.runtime.graph.frozen_graph import read_frozen_graph

RATE_HZ = 5.0
TOLERANCE = 0.02
"""How far the demo's mean IoU may be below the card's: it is another, smaller set of frames."""
PATIENCE_S = 300


class Options(NamedTuple):
    """What is played, and where the outcome goes; see ``run_demo``."""

    output: Path
    model: str
    gui: str


def main() -> int:
    """Runs the command line."""
    parser = command_line.parser(__doc__, "scripts/demo.py --output demo_output --model demo")
    parser.add_argument("--output", type=Path, default=Path("demo_output"), metavar="DIR")
    parser.add_argument("--model", default="demo", help="a profile or a frozen graph with a card")
    parser.add_argument("--gui", choices=("true", "false"), default="false", help="open RViz too")
    options = command_line.options(parser, Options)
    report = run_demo(options.output, options.model, options.gui == "true")
    print(table(report))
    print(f"pictures: {options.output / 'sheet.png'}, {options.output / 'overlay.mp4'}")
    return command_line.DONE if report["passed"] else command_line.BAD_VERDICT


def run_demo(output: Path, model: str, gui: bool = False) -> dict[str, Any]:
    """Plays the town's demo split through ``demo.launch``.

    Leaves ``demo.bag``, ``report.json``, ``sheet.png``, ``overlay.mp4`` and ``roslaunch.log``
    in the folder, in place of those of the last demo.

    Args:
      output: the folder.
      model: a profile such as ``reduced``, or the path of a frozen graph with a card.
      gui: whether to open RViz too.

    Returns:
      The evaluator's report; ``passed`` demands every frame of the bag, right headers, a
      reason for every drop, and the card's mean IoU less ``TOLERANCE``.

    Raises:
      SemsegError: the model has no score, or the launch did not come to its end.
    """
    graph = model_path(model)
    bar = round(card_mean_iou(graph) - TOLERANCE, 4)
    output.mkdir(parents=True, exist_ok=True)
    for name in ("sheet.png", "overlay.mp4"):
        (output / name).unlink(missing_ok=True)
    with BagWriter(output / "demo.bag", overwrite=True) as writer:
        recorded = record(writer, demo_frames(), RATE_HZ).done
    return _launch(output, graph, bar, gui, recorded)


def demo_frames() -> Frames:
    """Returns the frames of the town's demo split: a few drives, one after the other."""
    count = town.SPLITS["demo"]

    def produce() -> Iterator[Frame]:
        for index in range(count):
            drawn = town.frame("demo", index)
            yield Frame(drawn.name, None, drawn.image, drawn.labels, drawn.intrinsics)

    return Frames(count, produce, RATE_HZ)


def card_mean_iou(graph: str) -> float:
    """Returns the first score on a graph's card.

    Raises:
      GraphError: the graph cannot be read, or has no card or score.
    """
    card = read_frozen_graph(graph).card
    if card is None or not card.scores:
        raise GraphError(f"{graph}: its card has no score to compare the demo with")
    return float(card.scores[0]["mean_iou"])


def _launch(output: Path, graph: str, bar: float, gui: bool, frames: int) -> dict[str, Any]:
    recorded = output / "overlay.recorded.mp4"
    files = {"bag": "demo.bag", "report": "report.json", "sheet": "sheet.png"}
    arguments: dict[str, Any] = {name: (output / file).resolve() for name, file in files.items()}
    arguments.update(model=os.path.abspath(graph), video=recorded.resolve())
    arguments.update(min_miou=bar, gui=str(gui).lower())
    log = output / "roslaunch.log"
    report = play_through_node("demo.launch", arguments, frames, log, PATIENCE_S)
    _encode_for_players(recorded, output / "overlay.mp4")
    return report


def _encode_for_players(recorded: Path, video: Path) -> None:
    """Writes as H.264 what the robot's OpenCV could only record as MPEG-4."""
    if not recorded.exists():
        return
    with VideoWriter(video, RATE_HZ) as writer:
        for image in VideoReader(recorded):
            writer.write(image)
    recorded.unlink()
