#!/usr/bin/env python3
"""Checks that a dataset's files are what its declaration says; exit status 1 if they are not.

What was found is kept in the user's cache: the next check reads new and changed files alone.
"""

import sys

from semseg import command_line
from semseg.data import load_dataset, samples
from semseg.data.check import check
from semseg.data.check_cache import default_folder
from semseg.data.specs import TownSpec
from semseg.errors import ConfigError, DatasetError


def write_sheet(path, spec, arguments, splits) -> None:
    # Grain comes with it, which takes seconds.
    from semseg.data.show import dataset_sheet
    from semseg.data.writing import write_png

    root, label_root = arguments.root, arguments.label_root
    try:
        found = [sample for split in splits for sample in samples(spec, root, split, label_root)]
    except DatasetError as error:
        sys.stderr.write(f"no contact sheet: {error}\n")
    else:
        write_png(path, dataset_sheet(found, spec.classes))
        print(path)


def main() -> int:
    parser = command_line.parser(__doc__, "scripts/check_dataset.py --dataset camvid --root DIR")
    parser.add_argument("--dataset", required=True, help="name, YAML file or folder of a dataset")
    parser.add_argument("--root", metavar="DIR", help="the dataset's folder")
    parser.add_argument("--label-root", metavar="DIR", help="folder of the labels, if another")
    parser.add_argument("--sheet", metavar="FILE", help="PNG file for a contact sheet")
    parser.add_argument("--no-cache", action="store_true", help="read all files, keep nothing")
    count = command_line.positive(int)
    parser.add_argument("--workers", type=count, help="threads (default: one per processor)")
    arguments = parser.parse_args()
    spec = load_dataset(arguments.dataset)
    if isinstance(spec, TownSpec):
        raise ConfigError(f"'{spec.name}' has no files to check: its samples are rendered")
    cache = None if arguments.no_cache else default_folder()
    report = check(
        spec, arguments.root, arguments.label_root, cache=cache, workers=arguments.workers
    )
    print(report.text())
    if arguments.sheet:
        write_sheet(arguments.sheet, spec, arguments, report.counts)
    return command_line.DONE if report.passed else command_line.BAD_VERDICT


if __name__ == "__main__":
    command_line.run(main)
