#!/usr/bin/env python3
"""Checks that a dataset's files are what its declaration says; exit status 1 if they are not."""

from semseg import command_line
from semseg.data import load_dataset
from semseg.data.check import check
from semseg.data.specs import TownSpec
from semseg.errors import ConfigError


def main() -> int:
    parser = command_line.parser(__doc__, "scripts/check_dataset.py --dataset camvid --root DIR")
    parser.add_argument("--dataset", required=True, help="name, YAML file or folder of a dataset")
    parser.add_argument("--root", metavar="DIR", help="the dataset's folder")
    parser.add_argument("--label-root", metavar="DIR", help="folder of the labels, if another")
    parser.add_argument("--workers", type=int, help="threads (default: one per processor)")
    arguments = parser.parse_args()
    spec = load_dataset(arguments.dataset)
    if isinstance(spec, TownSpec):
        raise ConfigError(f"'{spec.name}' has no files to check: its samples are rendered")
    report = check(spec, arguments.root, arguments.label_root, arguments.workers)
    print(report.text())
    return command_line.DONE if report.passed else command_line.BAD_VERDICT


if __name__ == "__main__":
    command_line.run(main)
