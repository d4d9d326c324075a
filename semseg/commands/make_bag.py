"""Writes a ROS 1 bag of a dataset, a drive through the town, images or a video; needs no ROS.

Topics: /camera/image_raw, /camera/labels (mono8 ids, 255 is void), /camera/camera_info.
"""

from typing import NamedTuple

from semseg import command_line
from semseg.bags import COMPRESSIONS, BagWriter
from semseg.commands import flags
from semseg.commands.flags import DatasetOptions
from semseg.evaluation.frames import sources
from semseg.evaluation.frames.frames import Frames
from semseg.evaluation.outputs.bag_output import TRANSPORTS, record
from semseg.runtime.images.geometry import Size

EXAMPLE = """scripts/make_bag.py --dataset town --split demo --output town.bag --rate 10
  scripts/make_bag.py --dataset camvid --root DIR --split val --output camvid.bag"""


class Options(NamedTuple):
    """What is recorded, and how.

    Attributes:
      samples: the samples, unless ``images`` says others.
      images: a glob, a folder or a video; None takes the samples.
      output: the new bag.
      rate: images per second; None: the video's, or 10.
      frames: only so many; None takes all.
      size: (height, width) of the images; None leaves them as they are.
      transport: one of ``TRANSPORTS``.
      compression: one of ``COMPRESSIONS``.
      force: whether the bag may exist.
    """

    samples: DatasetOptions
    images: str | None
    output: str
    rate: float | None
    frames: int | None
    size: Size | None
    transport: str
    compression: str
    force: bool


def main() -> int:
    """Runs the command line."""
    parser = command_line.parser(__doc__, EXAMPLE)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--dataset", help="name, or path of a dataset's YAML file")
    source.add_argument("--images", help="a glob in quotes, a folder or a video")
    flags.add_dataset_flags(parser)
    rate = command_line.positive(float)
    parser.add_argument("--output", required=True, metavar="FILE", help="the new bag")
    parser.add_argument("--rate", type=rate, metavar="HZ", help="default: the video's, or 10")
    count = command_line.positive(int)
    parser.add_argument("--frames", type=count, metavar="N", help="only the first N")
    parser.add_argument("--size", type=command_line.size, metavar="HxW", help="default: as it is")
    parser.add_argument("--transport", choices=TRANSPORTS, default="raw", help="of the images")
    parser.add_argument("--compression", choices=COMPRESSIONS, default="none", help="of the bag")
    parser.add_argument("--force", action="store_true", help="replace an existing bag")
    options = command_line.options(parser, Options)
    found = _source(options).first(options.frames)
    rate_hz = options.rate or found.rate_hz or 10
    with BagWriter(options.output, options.compression, options.force) as bag:
        outcome = record(bag, found, rate_hz, options.transport, options.size)
    print(f"{options.output}: {outcome}")
    return command_line.BAD_VERDICT if outcome.skipped else command_line.DONE


def _source(options: Options) -> Frames:
    if options.images:
        return sources.frames_from_images(options.images)
    spec, samples = flags.load_samples(options.samples)
    if spec.source == "town":  # One drive, unlike the town's samples.
        split, size = options.samples.split, options.size or spec.size
        return sources.frames_from_town(split, options.rate or 10, size)
    return sources.frames_from_dataset(samples)
