"""What ``scripts/evaluate_bag.py --live`` does: a bag in real time, through the running node."""

import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any

from semseg import command_line
from semseg.bags import BagReader
from semseg.commands import delivery, flags
from semseg.commands.playback import play_through_node, summary, table
from semseg.errors import BagError, ConfigError
from semseg.evaluation.report.page import Section, Strip, Table, encoded, write_page
from semseg.evaluation.report.terminal import percent
from semseg.runtime.images.image_file import read_image

_COMPRESSED = "/compressed"
_OFFLINE_ONLY = ("other_model", "output", "log", "tensorboard", "compare")
_START_AND_END_S = 300.0


def evaluate_live(arguments: Namespace) -> int:
    """Plays a bag through ``launch/evaluate_bag.launch`` and prints and writes the report.

    Returns:
      The exit status: 1 if the mean IoU is below ``--min-miou``, the latency above
      ``--max-latency``, a header is wrong, or a frame is missing without a reason.

    Raises:
      SemsegError: what the flags name cannot be used, or ROS is not there.
    """
    for name in _OFFLINE_ONLY:
        if getattr(arguments, name):
            raise ConfigError(f"--{name.replace('_', '-')} does not go together with --live")
    delivery.check_bag_flags(arguments)
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.png"
        report = _play(arguments, Path(arguments.report or f"{folder}/report.json"), sheet)
        print(table(report))
        if arguments.html:
            _write_page(arguments, report, sheet)
    return command_line.DONE if report["passed"] else command_line.BAD_VERDICT


def _play(arguments: Namespace, report: Path, sheet: Path) -> dict[str, Any]:
    topic = arguments.image_topic
    with BagReader(arguments.bag) as bag:
        _check_playable(bag, arguments)
        frames, duration_s = bag.count(topic), bag.duration_s
    is_compressed = topic.endswith(_COMPRESSED)
    size = arguments.size
    launched = {
        "bag": Path(arguments.bag).resolve(),
        "report": report.resolve(),
        "sheet": sheet,
        "model": Path(flags.graph_path(arguments.model)).resolve(),
        "engine": arguments.engine,
        "input_size": f"{size[0]}x{size[1]}" if size else "",
        "image": topic[: -len(_COMPRESSED)] if is_compressed else topic,
        "transport": "compressed" if is_compressed else "raw",
        "true_labels": arguments.label_topic or "",
        "play_rate": arguments.play_rate,
        "min_miou": arguments.min_miou or 0.0,
        "max_latency": arguments.max_latency or 0.0,
    }
    log = Path(tempfile.gettempdir(), "semseg_evaluate_bag.log")
    if arguments.report:
        log = report.with_suffix(".roslaunch.log")
    patience_s = _START_AND_END_S + duration_s / arguments.play_rate
    return play_through_node("evaluate_bag.launch", launched, frames, log, patience_s)


def _check_playable(bag: BagReader, arguments: Namespace) -> None:
    if bag.is_ros2:
        raise BagError(f"{arguments.bag} is a ROS 2 bag, which ROS 1 cannot play; leave out --live")
    if bag.is_damaged:
        raise BagError(
            f"{arguments.bag} has no index, so that `rosbag play` cannot play it;"
            f" `rosbag reindex {arguments.bag}` may repair it"
        )
    if arguments.label_topic:
        bag.count(arguments.label_topic)  # Refuses a topic that is not there.


def _write_page(arguments: Namespace, report: dict[str, Any], sheet: Path) -> None:
    sections = [
        Section("playback", "Playback", tables=[Table(("of the playback", ""), summary(report))])
    ]
    if report["mean_iou"] is not None:
        rows = [
            (name, "--" if iou is None else percent(iou)) for name, iou in report["iou"].items()
        ]
        sections.append(Section("classes", "Classes", tables=[Table(("class", "IoU"), rows)]))
    if sheet.exists():
        pictures = encoded(read_image(sheet))
        strip = Strip("frames spread over the bag", {"what was published": pictures})
        sections.append(Section("frames", "Frames", strips=[strip]))
    title = f"{report['model']} as a node on {arguments.bag} {arguments.image_topic}"
    write_page(arguments.html, title, report["protocol"] + ".", sections)
