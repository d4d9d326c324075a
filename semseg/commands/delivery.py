"""Where a report goes: the terminal, files, TensorBoard; and what the exit status says."""

import math
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path

from semseg import command_line
from semseg.errors import ConfigError
from semseg.evaluation.report import comparison, run_log, terminal
from semseg.evaluation.report.page import Section
from semseg.evaluation.report.report import Report
from semseg.evaluation.report.sections import write_report_page
from semseg.files import check_writable


def add_report_flags(parser: ArgumentParser) -> None:
    """Adds the flags that say what becomes of a report."""
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


def check_report_flags(arguments: Namespace) -> None:
    """Finds out before the work whether what the flags name can be used; raises ConfigError."""
    if arguments.compare:
        comparison.read_report(arguments.compare)
    for path in filter(None, (arguments.report, arguments.html, arguments.log)):
        check_writable(path)
    if arguments.log:
        run_log.is_new(arguments.log)


def check_bag_flags(arguments: Namespace) -> None:
    """Does the same for a bag, which may have no true labels; raises ConfigError."""
    if arguments.min_miou is not None and not arguments.label_topic:
        raise ConfigError("--min-miou needs --label-topic: without true labels nothing is scored")
    check_report_flags(arguments)


def deliver(report: Report, arguments: Namespace, more: Sequence[Section] = ()) -> int:
    """Prints a report and writes what the flags ask for.

    Args:
      report: the report.
      arguments: of a parser that has the report flags.
      more: further sections of the page.

    Returns:
      The exit status: 1 if the report has not passed or the mean IoU fell.

    Raises:
      ConfigError: the earlier report or the log is none.
    """
    print(terminal.table(report))
    if arguments.report:
        report.write(arguments.report)
    if arguments.html:
        write_report_page(report, arguments.html, more)
    if arguments.log:
        run_log.append(arguments.log, report)
    if arguments.tensorboard:
        write_events(report, Path(arguments.tensorboard))
    dropped = bool(arguments.compare) and _print_comparison(report, arguments.compare)
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
