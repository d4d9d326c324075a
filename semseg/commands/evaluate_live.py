"""What ``scripts/evaluate_bag.py --live`` does: a bag in real time, through the running node."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

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
LONGEST_GAP_S = 5.0
"""What is left of a time without messages (``--skip-empty`` in the launch file): a clock that was
set during the recording jumps by decades."""


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
        topics = [topic] + ([options.label_topic] if options.label_topic else [])
        played = _what_is_played(bag, topics)
    is_compressed = topic.endswith(_COMPRESSED)
    size = options.segmenter.size
    launched = {
        **_linked(bag.files, sheet.parent),
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
    if played.skipped_s:
        sys.stderr.write(
            f"{played.gaps} gaps in the recording, {played.skipped_s:.0f} s in all, are played as"
            f" {LONGEST_GAP_S:.0f} s each\n"
        )
    patience_s = _START_AND_END_S + played.duration_s / options.play_rate
    return play_through_node("evaluate_bag.launch", launched, played.images, log, patience_s)


class _Played(NamedTuple):
    """What of a bag is played: images, seconds, and the gaps that are cut short."""

    images: int
    duration_s: float
    gaps: int
    skipped_s: float


def _check_playable(bag: BagReader, options: BagOptions) -> None:
    name = " ".join(options.bag)
    if not bag.is_ros1_bag:
        raise BagError(
            f"{name} is no ROS 1 bag, and `rosbag play` plays no other; leave out --live"
        )
    if bag.is_damaged:
        raise BagError(
            f"{name} has no index, so that `rosbag play` cannot play it;"
            f" `rosbag reindex {name}` may repair it"
        )


def _what_is_played(bag: BagReader, topics: Sequence[str]) -> _Played:
    """Goes through the stamps and times of what will be played.

    Raises:
      BagError: a topic is missing, or the stamps of the images cannot be told apart, by which
        labels are known as an image's.
    """
    times, stamps = [], []
    for message in bag.messages(*topics):
        times.append(message.time_ns / 1e9)
        if message.topic == topics[0]:
            stamps.append(message.stamp_ns)
    repeated = len(stamps) - len(set(stamps))
    unset = stamps.count(0)
    if repeated or unset:
        raise BagError(
            f"of {len(stamps)} images on '{topics[0]}' {unset} have no header stamp and {repeated}"
            " repeat that of another; the node's labels are known by it; leave out --live"
        )
    between = np.diff(times)
    gaps = between[between > LONGEST_GAP_S]
    skipped_s = float((gaps - LONGEST_GAP_S).sum())
    return _Played(len(stamps), float(between.sum()) - skipped_s, len(gaps), skipped_s)


def _linked(files: Sequence[Path], folder: Path) -> dict[str, Any]:
    """Gives bags names that a launch file can pass on: without spaces, quotes, umlauts.

    Returns:
      The arguments of the launch file that name them.
    """
    links = []
    for number, file in enumerate(files):
        link = folder / f"{number}.bag"
        link.symlink_to(file.resolve())
        links.append(str(link))
    return {"bag": links[0], "more_bags": " ".join(links[1:])}


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
    title = f"{report['model']} as a node on {' '.join(options.bag)} {options.image_topic}"
    write_page(path, title, report["protocol"] + ".", sections)
