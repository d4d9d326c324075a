#!/usr/bin/env python3
"""Freezes the best checkpoint of a run into one file for the robot, and converts it."""

from semseg import command_line
from semseg.runtime.engines.companions import FORMATS


def main():
    parser = command_line.parser(
        __doc__, "scripts/freeze.py --workdir runs/town --output models/town.pb --format onnx"
    )
    add = parser.add_argument
    add("--workdir", required=True, help="run folder of scripts/train.py")
    add("--output", required=True, help="frozen graph (.pb) to write")
    add("--size", type=command_line.size, metavar="HxW",
        help="fix the network's input to this size (default: open)")  # fmt: skip
    add("--head", help="head behind the plain tensor names, of a network with several "
        "(default: the first)")  # fmt: skip
    add("--group-columns", action="store_true",
        help="with --size: faster in TensorFlow 1.15 on a processor, slower elsewhere")  # fmt: skip
    add("--mirror", action="store_true",
        help="average the logits of each image and its mirror image: twice the work")  # fmt: skip
    add("--format", nargs="+", default=[], choices=[*FORMATS, "savedmodel"],
        help="also write these beside the output, and compare them")  # fmt: skip
    add("--root", action="append", default=[], metavar="[NAME=]DIR",
        help="with --format: folder of the run's dataset (of dataset NAME)")  # fmt: skip
    add("--allow-drop", action="store_true",
        help="with --format: write it even if it costs over one point of mean IoU")  # fmt: skip
    args = parser.parse_args()

    from semseg.training.export.freeze import convert_run, freeze

    card = freeze(
        args.workdir,
        args.output,
        args.size,
        args.head,
        columns=args.group_columns,
        mirror=args.mirror,
    )
    for score in card.scores:
        print(f"mean IoU {score['mean_iou']:.4f} ({score['protocol']})")
    print(f"wrote {args.output}")
    if args.format:
        reports = convert_run(
            args.workdir, args.output, args.format, args.root, allow_drop=args.allow_drop
        )
        print("\n".join(report.text() for report in reports))


if __name__ == "__main__":
    command_line.run(main)
