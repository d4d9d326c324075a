"""The demo: a drive through the town as a bag, played through the running node and compared."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semseg import town
from semseg.bags import BagWriter
from semseg.errors import GraphError, SemsegError
from semseg.evaluation.frames import Frame, Frames
from semseg.evaluation.recording import record
from semseg.evaluation.video import VideoReader, VideoWriter
from semseg.profiles import model_path, shipped_profiles
from semseg.runtime.frozen_graph import read_frozen_graph

RATE_HZ = 5.0
TOLERANCE = 0.02
"""How far the demo's mean IoU may be below the card's: it is another, smaller set of frames."""
PATIENCE_S = 300


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
    graph = model_path(model, shipped_profiles())
    bar = round(card_mean_iou(graph) - TOLERANCE, 4)
    output.mkdir(parents=True, exist_ok=True)
    for name in ("report.json", "sheet.png", "overlay.mp4"):
        (output / name).unlink(missing_ok=True)
    with BagWriter(output / "demo.bag", overwrite=True) as writer:
        recorded = record(writer, demo_frames(), RATE_HZ).done
    _launch(output, graph, bar, gui)
    report = json.loads((output / "report.json").read_text())
    report["passed"] = report["passed"] and report["sent"] == recorded
    (output / "report.json").write_text(json.dumps(report, indent=2))
    return report


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


def summary(report: dict[str, Any]) -> str:
    """Returns the table that the demo prints."""
    latency = report["latency_ms"]
    drops = ", ".join(f"{name} {count}" for name, count in report["drops"].items() if count)
    rows = [
        ("model", report["model"]),
        ("frames sent", report["sent"]),
        ("segmented", report["segmented"]),
        ("dropped", f"{report['skipped']}" + (f" ({drops})" if drops else "")),
        ("wrong headers", len(report["header_errors"])),
        ("latency p50 / p95 / p99", " / ".join(f"{latency[p]} ms" for p in ("p50", "p95", "p99"))),
        ("mean IoU", f"{_share(report['mean_iou'])} (passes from {report['min_mean_iou']})"),
        ("verdict", "passed" if report["passed"] else "FAILED"),
    ]
    return "\n".join(f"{name:<30} {value}" for name, value in rows)


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _launch(output, graph, bar, gui):
    """Runs ``demo.launch`` on a ROS master of its own, so that it never meets a robot's."""
    recorded = output / "overlay.recorded.mp4"
    files = {"bag": "demo.bag", "report": "report.json", "sheet": "sheet.png"}
    arguments = [f"{name}:={(output / file).resolve()}" for name, file in files.items()]
    arguments += [f"video:={recorded.resolve()}", f"model:={os.path.abspath(graph)}"]
    arguments += [f"min_mean_iou:={bar}", f"gui:={str(gui).lower()}"]
    command = ["roslaunch", "-p", str(_free_port()), "semseg", "demo.launch", *arguments]
    log_path = output / "roslaunch.log"
    sys.stderr.write("playing the bag through segment.launch ...\n")
    with log_path.open("w") as log:
        _run(command, log)
    if not (output / "report.json").exists():
        raise SemsegError(f"demo.launch ended without a report; its log is {log_path}")
    _encode_for_players(recorded, output / "overlay.mp4")


def _run(command, log):
    try:
        launch = subprocess.Popen(command, stdout=log, stderr=log)
    except FileNotFoundError:
        raise SemsegError("roslaunch is not on the path; run this through tools/with_ros")
    try:
        launch.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise SemsegError(f"demo.launch did not end in {PATIENCE_S} s; its log is {log.name}")
    finally:
        launch.terminate()  # Its nodes are in sessions of their own: only it can end them.
        launch.wait()


def _encode_for_players(recorded: Path, video: Path) -> None:
    """Writes as H.264 what the robot's OpenCV could only record as MPEG-4."""
    if not recorded.exists():
        return
    with VideoWriter(video, RATE_HZ) as writer:
        for image in VideoReader(recorded):
            writer.write(image)
    recorded.unlink()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])
