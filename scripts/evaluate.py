#!/usr/bin/env python3
"""Scores a model on a labelled dataset split, at the resolution of the truth."""

from argparse import BooleanOptionalAction, Namespace

from semseg import command_line
from semseg.commands import delivery, evaluate, flags
from semseg.evaluation.outputs.predictions import KINDS

EXAMPLE = """scripts/evaluate.py --model reduced --dataset camvid --root DIR --split val \\
      --report report.json --html report.html"""


def arguments() -> Namespace:
    parser = command_line.parser(__doc__, EXAMPLE)
    flags.add_model_flags(parser)
    parser.add_argument("--dataset", required=True, help="name, YAML file or folder of a dataset")
    flags.add_dataset_flags(parser)
    parser.add_argument("--class-map", metavar="FILE", help="name or YAML file of a class map")
    parser.add_argument("--loss", action=BooleanOptionalAction, default=True, help="cross-entropy")
    parser.add_argument("--boundary", type=int, metavar="PIXELS", help="boundary F, its tolerance")
    delivery.add_report_flags(parser)
    parser.add_argument("--shown", type=int, default=5, metavar="N", help="best and worst images")
    views = parser.add_argument_group("views, whose probabilities are averaged")
    views.add_argument("--flip", action="store_true", help="mirrored images, too")
    positive = command_line.positive(float)
    views.add_argument(
        "--scales", nargs="+", type=positive, default=[1.0], help="sizes, as factors"
    )
    views.add_argument("--window", type=command_line.size, metavar="HxW", help="sliding windows")
    saved = parser.add_argument_group("predictions")
    saved.add_argument("--save-predictions", metavar="DIR", help="new folder for predictions")
    saved.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS[:3], help="what to save")
    saved.add_argument("--at", choices=("image", "network"), default="image", help="their size")
    saved.add_argument("--force", action="store_true", help="write into an existing folder")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    return delivery.deliver(evaluate.score(args), args)


if __name__ == "__main__":
    command_line.run(main)
