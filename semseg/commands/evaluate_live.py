"""What ``scripts/evaluate_bag.py --live`` does: a bag in real time, through the running node."""

import tempfile
from pathlib import Path
from typing import Any

from semseg import command_line
from semseg.bags import BagReader
from semseg.commands import flags
from semseg.commands.bag_options import BagOptions
from semseg.commands.playback import play_through_node, summary, table
from semseg.errors import BagError, ConfigError
from semseg.evaluation.report.page import Section, Strip, Table, encoded, write_page
from semseg.evaluation.report.terminal import percent
from semseg.runtime.images.image_file import read_image

_COMPRESSED = "/compressed"
_START_AND_END_S = 300.0


def evaluate_live(options: BagOptions) -> int:
    """Plays a bag through ``launch/evaluate_bag.launch`` and prints and writes the report.

    Returns:
      The exit status: 1 if the mean IoU is below ``--min-miou``, the latency above
      ``--max-latency``, a header is wrong, or a frame is missing without a reason.

    Raises:
      SemsegError: what the options name cannot be used, or ROS is not there.
    """
    told = options.delivery
    for flag, value in {
        "--other-model": options.other_model,
        "--output": options.output,
        "--log": told.log,
        "--tensorboard": told.tensorboard,
        "--compare": told.compare,
    }.items():
        if value:
            raise ConfigError(f"{flag} does not go together with --live")
    options.check()
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.png"
        report = _play(options, Path(told.report or f"{folder}/report.json"), sheet)
        print(table(report))
        if told.html:
            _write_page(told.html, options, report, sheet)
    return command_line.DONE if report["passed"] else command_line.BAD_VERDICT


def _play(options: BagOptions, report: Path, sheet: Path) -> dict[str, Any]:
    topic = options.image_topic
    with BagReader(options.bag) as bag:
        _check_playable(bag, options)
        frames, duration_s = bag.count(topic), bag.duration_s
    is_compressed = topic.endswith(_COMPRESSED)
    size = options.segmenter.size
    launched = {
        "bag": Path(options.bag).resolve(),
        "report": report.resolve(),
        "sheet": sheet,
        "model": Path(flags.graph_path(options.segmenter.model)).resolve(),
        "engine": options.segmenter.engine,
        "input_size": f"{size[0]}x{size[1]}" if size else "",
        "image": topic[: -len(_COMPRESSED)] if is_compressed else topic,
        "transport": "compressed" if is_compressed else "raw",
        "true_labels": options.label_topic or "",
        "play_rate": options.play_rate,
        "min_miou": options.delivery.min_miou or 0.0,
        "max_latency": options.max_latency or 0.0,
    }
    log = Path(tempfile.gettempdir(), "semseg_evaluate_bag.log")
    if options.delivery.report:
        log = report.with_suffix(".roslaunch.log")
    patience_s = _START_AND_END_S + duration_s / options.play_rate
    return play_through_node("evaluate_bag.launch", launched, frames, log, patience_s)


def _check_playable(bag: BagReader, options: BagOptions) -> None:
    if bag.is_ros2:
        raise BagError(f"{options.bag} is a ROS 2 bag, which ROS 1 cannot play; leave out --live")
    if bag.is_damaged:
        raise BagError(
            f"{options.bag} has no index, so that `rosbag play` cannot play it;"
            f" `rosbag reindex {options.bag}` may repair it"
        )
    if options.label_topic:
        bag.count(options.label_topic)  # Refuses a topic that is not there.


def _write_page(path: str, options: BagOptions, report: dict[str, Any], sheet: Path) -> None:
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
    title = f"{report['model']} as a node on {options.bag} {options.image_topic}"
    write_page(path, title, report["protocol"] + ".", sections)
