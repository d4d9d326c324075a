"""Where a report goes: the terminal, files, TensorBoard; and what the exit status says."""

import math
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from semseg import command_line
from semseg.evaluation.report import comparison, run_log, terminal
from semseg.evaluation.report.page import Section
from semseg.evaluation.report.report import Report
from semseg.evaluation.report.sections import write_report_page
from semseg.files import check_writable


class ReportOptions(NamedTuple):
    """What becomes of a report.

    Attributes:
      report: JSON file to write.
      html: HTML file to write.
      log: CSV file to which a line is added.
      tensorboard: folder of event files.
      compare: an earlier report; the exit status tells whether the mean IoU fell.
      min_miou: the least mean IoU, 0..1, that is good enough.
    """

    report: str | None = None
    html: str | None = None
    log: str | None = None
    tensorboard: str | None = None
    compare: str | None = None
    min_miou: float | None = None


def add_report_flags(parser: ArgumentParser) -> None:
    """Adds the flags of ``ReportOptions``."""
    group = parser.add_argument_group("report")
    group.add_argument("--report", metavar="FILE", help="JSON file to write")
    group.add_argument("--html", metavar="FILE", help="HTML file to write, self-contained")
    group.add_argument("--log", metavar="FILE", help="CSV file to which a line is added")
    group.add_argument("--tensorboard", metavar="DIR", help="folder of event files")
    group.add_argument("--compare", metavar="JSON", help="earlier report; exit 1 if mIoU fell")
    group.add_argument("--min-miou", type=share, metavar="0..1", help="exit 1 below this")


def share(text: str) -> float:
    """Reads a share, 0..1, as in ``--min-miou 0.55``.

    Raises:
      ValueError: the text is no number.
      argparse.ArgumentTypeError: it is not 0..1.
    """
    value = float(text)
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"expected a share, 0..1, found {text}")
    return value


def check_report_options(options: ReportOptions) -> None:
    """Finds out before the work whether what they name can be used; raises ConfigError."""
    if options.compare:
        comparison.read_report(options.compare)
    for path in filter(None, (options.report, options.html, options.log)):
        check_writable(path)
    if options.log:
        run_log.is_new(options.log)


def deliver(
    report: Report, options: ReportOptions, more: Callable[[], Sequence[Section]] = tuple
) -> int:
    """Prints a report and writes what is asked for.

    Args:
      report: the report.
      options: what is asked for.
      more: makes further sections of the page; called for a page only.

    Returns:
      The exit status: 1 if the report has not passed or the mean IoU fell.

    Raises:
      ConfigError: the earlier report or the log is none.
    """
    print(terminal.table(report))
    if options.report:
        report.write(options.report)
    if options.html:
        write_report_page(report, options.html, more())
    if options.log:
        run_log.append(options.log, report)
    if options.tensorboard:
        write_events(report, Path(options.tensorboard))
    dropped = _print_comparison(report, options.compare) if options.compare else False
    return command_line.DONE if report.passed and not dropped else command_line.BAD_VERDICT


def write_events(report: Report, folder: Path) -> None:
    """Writes the totals, and the IoU of each class, for TensorBoard."""
    from semseg.training.records.tensorboard import Board

    scalars = {f"evaluation/{name}": value for name, value in report.scores.totals().items()}
    ious = zip(report.classes.names, report.scores.by_class()["iou"], strict=True)
    scalars |= {f"evaluation/iou/{name}": float(value) for name, value in ious}
    known = {name: value for name, value in scalars.items() if math.isfinite(value)}
    with Board(folder, 0) as board:
        board.add(0, known, {})


def _print_comparison(report: Report, path: str) -> bool:
    compared = comparison.compare(report.to_json(), comparison.read_report(path))
    print(f"\n{compared.table()}")
    return compared.dropped
