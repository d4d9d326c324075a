"""A report as a table for the terminal."""

import math

from semseg.evaluation.report.report import Report
from semseg.evaluation.scores.scores import LOSS, TITLES

COLUMNS = {
    "iou": "IoU",
    "precision": "prec.",
    "recall": "recall",
    "f_score": "F",
    "instance_iou": "iIoU",
    "boundary_f": "outline",
}
"""What people read for each score of a class."""

_LISTED = 10
_WORST = 3


def table(report: Report) -> str:
    """Returns the scores, the latencies, what was skipped, the protocol and the verdict."""
    totals = report.scores.totals()
    width = max(
        16, *(len(name) for name in (*report.classes.names, *(TITLES[name] for name in totals)))
    )
    latency = ", ".join(
        f"{name} {'--' if value is None else format(value, '.1f')}"
        for name, value in report.latency_ms().items()
    )
    worst = ", ".join(f"{each.name} {percent(each.mean_iou)}" for each in report.worst(_WORST))
    facts = {
        **{TITLES[name]: score_text(name, value) for name, value in totals.items()},
        "latency": f"{latency} ms",
        "confidence": percent(report.mean_confidence),
        "frames": f"{len(report.frames)}, skipped {len(report.skipped)}",
    }
    return "\n".join(
        [
            *_class_rows(report, width),
            *_category_rows(report, width),
            *(f"{name:{width}}  {text}" for name, text in facts.items()),
            *(f"  skipped {each.name}: {each.reason}" for each in report.skipped[:_LISTED]),
            f"{'worst frames':{width}}  {worst or '--'}",
            f"protocol: {report.protocol}",
            f"verdict: {'passed' if report.passed else 'not passed'}",
        ]
    )


def class_columns(report: Report) -> dict[str, list[str]]:
    """Returns, by the title of a column, its text for each class."""
    scores = {COLUMNS[name]: values for name, values in report.scores.by_class().items()}
    scores["share"] = report.mean_class_share()
    return {title: [percent(value) for value in values] for title, values in scores.items()}


def category_columns(report: Report) -> dict[str, list[str]]:
    """Returns, by the title of a column, its text for each category; empty without any."""
    titles = {"category_iou": "IoU", "category_instance_iou": "iIoU"}
    return {
        titles[name]: [percent(value) for value in values]
        for name, values in report.scores.by_category().items()
    }


def score_text(name: str, value: float) -> str:
    """Returns a total of ``Scores`` as people read it."""
    if name == LOSS and math.isfinite(value):
        return f"{value:.3f}"
    return percent(value)


def percent(value: float) -> str:
    """Returns a share, 0..1, in percent; ``--`` if it is no number."""
    return f"{100 * value:.1f} %" if math.isfinite(value) else "--"


def _class_rows(report: Report, width: int) -> list[str]:
    return _rows("class", report.classes.names, class_columns(report), width)


def _category_rows(report: Report, width: int) -> list[str]:
    columns = category_columns(report)
    return _rows("category", report.scores.categories, columns, width) if columns else []


def _rows(
    title: str, names: tuple[str, ...], columns: dict[str, list[str]], width: int
) -> list[str]:
    cells = zip(*columns.values(), strict=True)
    return [
        f"{title:{width}}" + "".join(f"{header:>10}" for header in columns),
        *(
            f"{name:{width}}" + "".join(f"{text:>10}" for text in row)
            for name, row in zip(names, cells, strict=True)
        ),
    ]
