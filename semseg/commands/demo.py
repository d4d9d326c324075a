"""Plays the synthetic town, whose labels are compared with the truth, and a real street.

Both go through the running node. The street has no truth: what the network makes of it is for the
eye.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
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
from semseg.resources import shipped_file
from semseg.runtime.graph.frozen_graph import read_frozen_graph

RATE_HZ = 5.0
TOLERANCE = 0.02
"""How far the demo's mean IoU may be below the card's: it is another, smaller set of frames."""
PATIENCE_S = 300
TRUE_LABELS = "/camera/labels"
STREET = "solidWhiteRight.mp4"
"""A highway, MIT licence: demo/README.md."""
STREET_STRIDE = 3
"""A third of the video's 25 frames a second: what two cores label and draw without drops."""


class Options(NamedTuple):
    """What is played, and where the outcome goes; see ``run_demo`` and ``run_street``."""

    output: Path
    model: str
    street_model: str
    gui: str


def main() -> int:
    """Runs the command line."""
    parser = command_line.parser(__doc__, "scripts/demo.py --output demo_output --model demo")
    add = parser.add_argument
    add("--output", type=Path, default=Path("demo_output"), metavar="DIR")
    add("--model", default="demo", help="a profile or a frozen graph with a card")
    add("--street-model", default="full", metavar="MODEL",
        help="the same for the real street, which has no truth")  # fmt: skip
    add("--gui", choices=("true", "false"), default="false", help="open RViz too")
    options = command_line.options(parser, Options)
    gui = options.gui == "true"
    played = run_demo(options.output, options.model, gui)
    print(f"the synthetic town\n{table(played)}")
    street = run_street(options.output, options.street_model, gui)
    print(f"\na real street, which has no true labels\n{table(street)}")
    for prefix in ("", "street_"):
        pictures = (options.output / f"{prefix}{name}" for name in ("sheet.png", "overlay.mp4"))
        print("pictures: " + ", ".join(map(str, pictures)))
    good = played["passed"] and street["passed"]
    return command_line.DONE if good else command_line.BAD_VERDICT


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
    files = _Files(output, "demo.bag")
    return _play(files, demo_frames(), graph, gui, true_labels=TRUE_LABELS, min_miou=bar)


def run_street(output: Path, model: str, gui: bool = False) -> dict[str, Any]:
    """Plays a real street, which has no true labels, through the same node.

    Leaves ``street.bag`` and the other files of ``run_demo``, with ``street_`` before their names.

    Args:
      output: the folder.
      model: a profile such as ``full``, or the path of a frozen graph.
      gui: whether to open RViz too.

    Returns:
      The evaluator's report; ``passed`` demands every frame of the bag, right headers and a
      reason for every drop.

    Raises:
      SemsegError: the video cannot be read, or the launch did not come to its end.
    """
    graph = model_path(model)
    files = _Files(output, "street.bag", "street_")
    return _play(files, street_frames(), graph, gui)


def street_frames() -> Frames:
    """Returns every third frame of the shipped video, as fast as it was filmed.

    Raises:
      ImageError: the video cannot be opened, or has fewer frames than it says.
    """
    video = VideoReader(shipped_file("demo", STREET))
    count = -(-video.count // STREET_STRIDE)

    def produce() -> Iterator[Frame]:
        for index, image in enumerate(islice(video, 0, None, STREET_STRIDE)):
            yield Frame(f"{STREET} {index * STREET_STRIDE}", None, image)

    return Frames(count, produce, video.rate_hz / STREET_STRIDE)


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


class _Files:
    """The files of one playback, all in one folder and with one prefix."""

    def __init__(self, folder: Path, bag: str, prefix: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.bag = folder / bag
        self.report = folder / f"{prefix}report.json"
        self.sheet = folder / f"{prefix}sheet.png"
        self.video = folder / f"{prefix}overlay.mp4"
        self.log = folder / f"{prefix}roslaunch.log"
        self.recorded_video = self.video.with_suffix(".recorded.mp4")


def _play(
    files: _Files, frames: Frames, graph: str, gui: bool, **arguments: object
) -> dict[str, Any]:
    """Records frames as a bag and plays it through ``demo.launch``."""
    for picture in (files.sheet, files.video):
        picture.unlink(missing_ok=True)
    rate_hz = frames.rate_hz or RATE_HZ
    with BagWriter(files.bag, overwrite=True) as writer:
        recorded = record(writer, frames, rate_hz).done
    report = play_through_node(
        "demo.launch",
        {
            "bag": files.bag.resolve(),
            "report": files.report.resolve(),
            "sheet": files.sheet.resolve(),
            "video": files.recorded_video.resolve(),
            "model": os.path.abspath(graph),
            "gui": str(gui).lower(),
            **arguments,
        },
        recorded,
        files.log,
        PATIENCE_S,
    )
    _encode_for_players(files.recorded_video, files.video, rate_hz)
    return report


def _encode_for_players(recorded: Path, video: Path, rate_hz: float) -> None:
    """Writes as H.264 what the robot's OpenCV could only record as MPEG-4."""
    if not recorded.exists():
        return
    with VideoWriter(video, rate_hz) as writer:
        for image in VideoReader(recorded):
            writer.write(image)
    recorded.unlink()
