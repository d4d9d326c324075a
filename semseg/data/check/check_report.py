"""The result of a check, and how it is told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from semseg.classes import ClassTable
from semseg.data.check.class_statistics import WEIGHT_RULES, PixelCounts


class RareClass(NamedTuple):
    """The rarest class of a split that occurs in it.

    Attributes:
      label: its label.
      share: in the pixels that have a class.
      names: of the samples that show most of it, see ``Finding.name``.
    """

    label: int
    share: float
    names: list[str]


@dataclass
class Report:
    """The result of a check.

    Attributes:
      name: the dataset's name.
      classes: its class table.
      errors: one line each; a dataset without any passes.
      warnings: one line each.
      counts: split name -> pixels by class.
      stored: what stands for each class in the label files, and for ignored pixels, the last;
        empty where that is the label itself.
      rarest: split name -> its rarest class that occurs, and where.
    """

    name: str
    classes: ClassTable
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    counts: dict[str, PixelCounts] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    rarest: dict[str, "RareClass"] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether no error was found."""
        return not self.errors

    def text(self) -> str:
        """Returns the report for people: a table of the classes, then what was found."""
        lines = [*self._table(), ""]
        lines += [f"warning: {warning}" for warning in self.warnings]
        lines += [f"error: {error}" for error in self.errors]
        return "\n".join([*lines, self.summary()])

    def summary(self) -> str:
        """Returns one line: ``camvid: 0 errors, 1 warnings``."""
        return f"{self.name}: {len(self.errors)} errors, {len(self.warnings)} warnings"

    def _table(self) -> Iterator[str]:
        """Yields pixels and shares by split, and the weights that the first split suggests."""
        counts = list(self.counts.values())
        weights = [counts[0].class_weights(rule) for rule in WEIGHT_RULES]
        stored = self.stored or [""] * (self.classes.num_classes + 1)
        yield _row("class", [*self.counts, *WEIGHT_RULES], "stored as" if self.stored else "")
        for label, name in enumerate(self.classes.names):
            cells = [_cell(count.pixels[label], count.shares[label]) for count in counts]
            cells += [f"{weight[label]:.3f}" for weight in weights]
            yield _row(name, cells, stored[label])
        cells = [_cell(count.ignored, count.ignored_share) for count in counts]
        yield _row("(ignored)", cells, stored[-1])
        yield _row("(images)", [str(count.images) for count in counts])


def _cell(pixels: int, share: float) -> str:
    return f"{pixels} {share:>8.3%}"


def _row(name: str, cells: list[str], stored: str = "") -> str:
    return f"{name:<24}" + "".join(f"{cell:>22}" for cell in cells) + (f"   {stored}".rstrip())
