"""The report of a bag: the scores, if there is truth, and what can be known without."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from semseg.evaluation.report import figures
from semseg.evaluation.report.page import Section, Table
from semseg.evaluation.report.report import Report, known
from semseg.evaluation.report.terminal import percent
from semseg.evaluation.unlabelled.agreement import Agreement
from semseg.evaluation.unlabelled.consistency import TemporalConsistency


class BagReport(NamedTuple):
    """What was seen along a bag, beside the scores.

    Attributes:
      report: the scores, and what is known of each frame.
      consistency: of the labels over time.
      agreement: with another model, if there was one.
      other: that model, JSON-ready, see ``describe_model``.
      paired_by: what paired images and true labels, ``stamp`` or ``time of recording``; None if
        there were none to pair.
      warnings: what was left out of the bag, and what was uncertain.
    """

    report: Report
    consistency: TemporalConsistency
    agreement: Agreement | None = None
    other: dict[str, Any] = {}
    paired_by: str | None = None
    warnings: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the keys that the report's JSON has in addition, as JSON-ready values.

        ``per_frame`` of each has one value for each frame of the report's own ``per_frame``.
        """
        consistency, names = self.consistency, self.report.classes.names
        found: dict[str, Any] = {
            "paired_by": self.paired_by,
            "warnings": list(self.warnings),
            "consistency": {
                "flips": known(consistency.mean_flips),
                "mean_consistency": known(consistency.mean_consistency),
                "by_class": _by_class(consistency.classes.names, consistency.confusion.iou),
                "per_frame": {
                    "flips": [known(value) for value in consistency.flips],
                    "followed": [known(value) for value in consistency.followed],
                },
            },
        }
        if self.agreement is not None:
            found["agreement"] = {
                "model": self.other,
                "pixels": known(self.agreement.pixels),
                "mean_iou": known(self.agreement.confusion.mean_iou),
                "iou": _by_class(names, self.agreement.confusion.iou),
                "per_frame": [known(value) for value in self.agreement.per_frame],
            }
        return found

    def lines(self) -> list[str]:
        """Returns what the terminal says of it."""
        lines = [
            *(f"warning: {text}" for text in self.warnings),
            f"label flips: {percent(self.consistency.mean_flips)} of the pixels that can be"
            f" followed; temporal consistency {percent(self.consistency.mean_consistency)}",
        ]
        if self.agreement is not None:
            iou = percent(self.agreement.confusion.mean_iou)
            lines.append(
                f"agreement: {percent(self.agreement.pixels)} of the pixels, mean IoU"
                f" {iou}, with {self._other_name}"
            )
        return lines

    def sections(self) -> list[Section]:
        """Returns the parts that a page of the report has in addition."""
        if not self.report.frames:
            return []
        found = [] if self.agreement is None else [self._agreement(self.agreement)]
        return [*self._warnings(), self._consistency(), *found]

    def _warnings(self) -> list[Section]:
        if not self.warnings:
            return []
        rows = [(text,) for text in self.warnings]
        return [Section("warnings", "Warnings", tables=[Table(("of the bag",), rows)])]

    def _consistency(self) -> Section:
        found = self.consistency
        flips = {"flips": 100 * np.array(found.flips)}
        return Section(
            "consistency",
            "Temporal consistency",
            f"{percent(found.mean_flips)} of the pixels change their label from one frame to the"
            " next, although optical flow finds the same thing there in both. Needs no truth, and"
            " says nothing of it.",
            [
                _table(
                    found.classes.colors,
                    found.classes.names,
                    {"IoU of the carried and the new labels": found.confusion.iou},
                )
            ],
            [figures.time_lines(self._seconds, flips, "changed labels, %")],
        )

    def _agreement(self, found: Agreement) -> Section:
        alike = {"alike": 100 * np.array(found.per_frame)}
        return Section(
            "agreement",
            "Agreement of two models",
            f"{percent(found.pixels)} of the pixels have the same label from"
            f" {self._other_name}. Where they differ, at least one of the"
            " two is wrong: frames of the least agreement are worth labelling.",
            [_table(found.classes.colors, found.classes.names, {"IoU": found.confusion.iou})],
            [figures.time_lines(self._seconds, alike, "pixels labelled alike, %")],
            found.disputed,
        )

    @property
    def _other_name(self) -> str:
        return str(self.other.get("name") or self.other.get("path") or "the other model")

    @property
    def _seconds(self) -> np.ndarray:
        """Time of each frame from the first on, seconds."""
        stamps = [frame.stamp_ns or 0 for frame in self.report.frames]
        return np.array([(stamp - stamps[0]) / 1e9 for stamp in stamps])


def _by_class(names: Sequence[str], values: np.ndarray) -> dict[str, float | None]:
    return dict(zip(names, map(known, values), strict=True))


def _table(
    colors: Sequence[Sequence[int]], names: Sequence[str], columns: dict[str, np.ndarray]
) -> Table:
    cells = zip(*(map(percent, values) for values in columns.values()), strict=True)
    rows = [(name, *row) for name, row in zip(names, cells, strict=True)]
    return Table(("class", *columns), rows, colors)
