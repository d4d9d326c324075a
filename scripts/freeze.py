#!/usr/bin/env python3
"""Freezes the best checkpoint of a run into one file for the robot."""

from semseg import command_line


def main():
    parser = command_line.parser(
        __doc__, "scripts/freeze.py --workdir runs/town --output models/town.pb"
    )
    parser.add_argument("--workdir", required=True, help="run folder of scripts/train.py")
    parser.add_argument("--output", required=True, help="frozen graph (.pb) to write")
    parser.add_argument("--size", type=command_line.size, metavar="HxW",
                        help="fix the network's input to this size (default: open)")  # fmt: skip
    parser.add_argument("--head", help="head behind the plain tensor names, of a network with "
                        "several (default: the first)")  # fmt: skip
    parser.add_argument("--group-columns", action="store_true", help="with --size: faster in "
                        "TensorFlow 1.15 on a processor, slower elsewhere")  # fmt: skip
    args = parser.parse_args()

    from semseg.training.freeze import freeze

    card = freeze(args.workdir, args.output, args.size, args.head, columns=args.group_columns)
    for score in card.scores:
        print(f"mean IoU {score['mean_iou']:.4f} ({score['protocol']})")
    print(f"wrote {args.output}")


if __name__ == "__main__":
    command_line.run(main)
