#!/usr/bin/env python3
"""Writes a ROS 1 bag of a dataset, a drive through the town, images or a video; needs no ROS.

Topics: /camera/image_raw, /camera/labels (mono8 ids, 255 is void), /camera/camera_info.
"""

from argparse import Namespace

from semseg import command_line
from semseg.bags import COMPRESSIONS, BagWriter
from semseg.commands import flags
from semseg.evaluation.frames import sources
from semseg.evaluation.frames.frames import Frames
from semseg.evaluation.outputs.bag_output import TRANSPORTS, record

EXAMPLE = """scripts/make_bag.py --dataset town --split demo --output town.bag --rate 10
  scripts/make_bag.py --dataset camvid --root DIR --split val --output camvid.bag"""


def arguments() -> Namespace:
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
    return parser.parse_args()


def source(args: Namespace) -> Frames:
    if args.images:
        return sources.frames_from_images(args.images)
    spec, samples = flags.load_samples(args)
    if spec.source == "town":  # One drive, unlike the town's samples.
        return sources.frames_from_town(args.split, args.rate or 10, args.size or spec.size)
    return sources.frames_from_dataset(samples)


def main() -> int:
    args = arguments()
    found = source(args).first(args.frames)
    with BagWriter(args.output, args.compression, args.force) as bag:
        outcome = record(bag, found, args.rate or found.rate_hz or 10, args.transport, args.size)
    print(f"{args.output}: {outcome}")
    return command_line.BAD_VERDICT if outcome.skipped else command_line.DONE


if __name__ == "__main__":
    command_line.run(main)
