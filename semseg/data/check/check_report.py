"""The result of a check, and how it is told."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from semseg.classes import ClassTable
from semseg.data.check.class_statistics import WEIGHT_RULES, PixelCounts


@dataclass
class Report:
    """The result of a check.

    Attributes:
      name: the dataset's name.
      classes: its class table.
      errors: one line each; a dataset without any passes.
      warnings: one line each.
      counts: split name -> pixels by class.
    """

    name: str
    classes: ClassTable
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    counts: dict[str, PixelCounts] = field(default_factory=dict)

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
        yield _row("class", [*self.counts, *WEIGHT_RULES])
        for label, name in enumerate(self.classes.names):
            cells = [_cell(count.pixels[label], count.shares[label]) for count in counts]
            yield _row(name, cells + [f"{weight[label]:.3f}" for weight in weights])
        yield _row("(ignored)", [_cell(count.ignored, count.ignored_share) for count in counts])
        yield _row("(images)", [str(count.images) for count in counts])


def _cell(pixels: int, share: float) -> str:
    return f"{pixels} {share:>8.3%}"


def _row(name: str, cells: list[str]) -> str:
    return f"{name:<24}" + "".join(f"{cell:>22}" for cell in cells)
