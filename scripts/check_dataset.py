#!/usr/bin/env python3
"""Checks that a dataset's files are what its declaration says; exit status 1 if they are not.

What was found is kept in the user's cache: the next check reads new and changed files alone.
"""

import sys
from functools import partial

from semseg import command_line
from semseg.data import load_dataset, samples
from semseg.data.check.check import check
from semseg.data.files.file_cache import default_folder
from semseg.errors import DatasetError, ImageError


def write_sheet(path, spec, given, splits) -> None:
    # Grain comes with it, which takes seconds.
    from semseg.data.check.show import dataset_sheet
    from semseg.files import write_png

    find = partial(samples, spec, given.root, label_root=given.label_root, second=given.second)
    try:
        found = [sample for split in splits for sample in find(split)]
        sheet = dataset_sheet(found, spec.classes)
    except (DatasetError, ImageError) as error:
        sys.stderr.write(f"no contact sheet: {error}\n")
    else:
        write_png(path, sheet)
        print(path)


def main() -> int:
    parser = command_line.parser(__doc__, "scripts/check_dataset.py --dataset camvid --root DIR")
    parser.add_argument("--dataset", required=True, help="name, YAML file or folder of a dataset")
    parser.add_argument("--root", metavar="DIR", help="the dataset's folder")
    parser.add_argument("--label-root", metavar="DIR", help="folder of the labels, if another")
    parser.add_argument("--second", choices=("right", "disparity"), help="second input to check")
    parser.add_argument("--sheet", metavar="FILE", help="PNG file for a contact sheet")
    parser.add_argument("--no-cache", action="store_true", help="read all files, keep nothing")
    count = command_line.positive(int)
    parser.add_argument("--workers", type=count, help="threads (default: one per processor)")
    given = parser.parse_args()
    spec = load_dataset(given.dataset)
    report = check(
        spec,
        given.root,
        given.label_root,
        second=given.second,
        cache=None if given.no_cache else default_folder(),
        workers=given.workers,
    )
    print(report.text())
    if given.sheet:
        write_sheet(given.sheet, spec, given, report.counts)
    return command_line.DONE if report.passed else command_line.BAD_VERDICT


if __name__ == "__main__":
    command_line.run(main)
