#!/usr/bin/env python3
"""Writes a dataset downscaled, or frames of the town, as a folder with its own declaration.

Labels are downscaled by vote: a pixel is void unless one class has 75 % of its block.
Run it again after an interruption: what is written already is kept.
"""

import sys

from semseg import command_line
from semseg.data import load_dataset, samples
from semseg.data.pairing import present_splits
from semseg.data.prepare import prepare, spread

EXAMPLE = """scripts/prepare_dataset.py --dataset cityscapes --root RAW --output SMALL --downscale 4
  scripts/prepare_dataset.py --dataset town --output TOWN --frames 500
  scripts/train.py --set data.dataset=SMALL/dataset.yaml --root SMALL ..."""


def main() -> int:
    parser = command_line.parser(__doc__, EXAMPLE)
    parser.add_argument("--dataset", required=True, help="name, YAML file or folder of a dataset")
    parser.add_argument("--root", metavar="DIR", help="the dataset's folder")
    parser.add_argument("--label-root", metavar="DIR", help="folder of the labels, if another")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--downscale", type=int, default=1, choices=range(1, 17), metavar="1..16",
                        help="divides height and width (default: %(default)s)")  # fmt: skip
    parser.add_argument("--frames", type=int, metavar="N", help="at most N samples of each split")
    parser.add_argument("--workers", type=int, help="threads (default: one per processor)")
    arguments = parser.parse_args()
    spec, root, label_root = load_dataset(arguments.dataset), arguments.root, arguments.label_root
    present, problems = present_splits(spec, root, label_root)
    for problem in problems:
        sys.stderr.write(f"left out: {problem}\n")
    splits = {
        split: spread(samples(spec, root, split, label_root), arguments.frames) for split in present
    }
    outcome = prepare(spec, splits, arguments.output, arguments.downscale, arguments.workers)
    for problem in outcome.failed:
        sys.stderr.write(f"not prepared: {problem}\n")
    failed = len(outcome.failed)
    print(f"{outcome.written} samples written, {outcome.reused} kept, {failed} failed")
    return command_line.BAD_VERDICT if failed else command_line.DONE


if __name__ == "__main__":
    command_line.run(main)
