"""Checks that a dataset's files are what its declaration says; exit status 1 if they are not.

What was found is kept in the user's cache: the next check reads new and changed files alone.
"""

import sys
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from semseg import command_line
from semseg.data import DatasetSpec, load_dataset, samples
from semseg.data.check.check import check
from semseg.data.declarations.specs import SecondKind
from semseg.data.files.file_cache import default_folder
from semseg.errors import DatasetError, ImageError
from semseg.files import write_png


class Options(NamedTuple):
    """What is checked.

    Attributes:
      dataset: name, YAML file or folder of the dataset.
      root: its folder.
      label_root: folder of the labels, if it is another.
      second: second input that is checked too.
      sheet: PNG file for a contact sheet.
      no_cache: read all files, keep nothing.
      workers: threads; None: one per processor.
    """

    dataset: str
    root: str | None
    label_root: str | None
    second: SecondKind | None
    sheet: str | None
    no_cache: bool
    workers: int | None


def main() -> int:
    """Runs the command line."""
    parser = command_line.parser(__doc__, "scripts/check_dataset.py --dataset camvid --root DIR")
    parser.add_argument("--dataset", required=True, help="name, YAML file or folder of a dataset")
    parser.add_argument("--root", metavar="DIR", help="the dataset's folder")
    parser.add_argument("--label-root", metavar="DIR", help="folder of the labels, if another")
    parser.add_argument("--second", choices=("right", "disparity"), help="second input to check")
    parser.add_argument("--sheet", metavar="FILE", help="PNG file for a contact sheet")
    parser.add_argument("--no-cache", action="store_true", help="read all files, keep nothing")
    count = command_line.positive(int)
    parser.add_argument("--workers", type=count, help="threads (default: one per processor)")
    options = command_line.options(parser, Options)
    spec = load_dataset(options.dataset)
    report = check(
        spec,
        options.root,
        options.label_root,
        second=options.second,
        cache=None if options.no_cache else default_folder(),
        workers=options.workers,
    )
    print(report.text())
    if options.sheet:
        _write_sheet(options.sheet, spec, options, report.counts)
    return command_line.DONE if report.passed else command_line.BAD_VERDICT


def _write_sheet(path: str, spec: DatasetSpec, options: Options, splits: Iterable[str]) -> None:
    # Grain comes with it, which takes seconds.
    from semseg.data.check.show import dataset_sheet

    find = partial(
        samples, spec, options.root, label_root=options.label_root, second=options.second
    )
    try:
        found = [sample for split in splits for sample in find(split)]
        sheet = dataset_sheet(found, spec.classes)
    except (DatasetError, ImageError) as error:
        sys.stderr.write(f"no contact sheet: {error}\n")
    else:
        write_png(path, sheet)
        print(path)
