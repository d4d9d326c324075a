"""Checks that a dataset's files are what its declaration says, before anything is trained on them.

Errors are what would stop or spoil a training: images without labels, unreadable files, sizes
that differ, too many unknown ids, one image in two splits. The rest are warnings.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from semseg.data import patterns
from semseg.data.label_decoder import LabelDecoder
from semseg.data.labels import read_image
from semseg.data.pairing import (
    FilePair,
    find_pairs,
    list_some,
    present_splits,
    roots,
    shared_labels,
)
from semseg.data.parallel import map_with_progress
from semseg.data.specs import FolderSpec
from semseg.data.statistics import WEIGHT_RULES, PixelCounts
from semseg.errors import ImageError


@dataclass
class Report:
    """The result of a check.

    Attributes:
      spec: the dataset's declaration.
      errors: one line each; a dataset without any passes.
      warnings: one line each.
      counts: split name -> pixels by class.
    """

    spec: FolderSpec
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
        lines.append(f"{self.spec.name}: {len(self.errors)} errors, {len(self.warnings)} warnings")
        return "\n".join(lines)

    def _table(self) -> Iterator[str]:
        """Yields shares by split, and the class weights that the first split suggests."""
        counts = list(self.counts.values())
        weights = [counts[0].class_weights(rule) for rule in WEIGHT_RULES]
        yield _row("class", [*self.counts, *WEIGHT_RULES])
        for label, name in enumerate(self.spec.classes.names):
            shares = [f"{count.shares[label]:.3%}" for count in counts]
            yield _row(name, shares + [f"{weight[label]:.3f}" for weight in weights])
        yield _row("(ignored)", [f"{count.ignored_share:.3%}" for count in counts])
        yield _row("(images)", [str(count.images) for count in counts])


class _Seen(NamedTuple):
    """What was seen in one image and its labels; ``counts`` and ``digest`` None if unreadable."""

    image: str
    errors: list[str]
    counts: PixelCounts | None = None
    unknown: dict[int, int] = {}
    digest: bytes | None = None


def check(
    spec: FolderSpec,
    root: str | Path | None,
    label_root: str | Path | None = None,
    workers: int | None = None,
) -> Report:
    """Reads every file of a dataset.

    Args:
      spec: the dataset's declaration.
      root: the dataset's folder; None takes the declaration's own.
      label_root: folder of the label files, if they are not below ``root``.
      workers: threads; None takes as many as there are processors.

    Returns:
      The report.

    Raises:
      DatasetError: no split has an image, so the root is wrong.
    """
    report = Report(spec)
    reader = _Reader(spec, *roots(spec, root, label_root))
    owners: dict[bytes, tuple[str, str]] = {}
    present, problems = present_splits(spec, root, label_root)
    report.warnings += map(str, problems)
    for split in present:
        pairs = find_pairs(spec, root, split, label_root)
        _check_pairing(report, split, pairs, reader.label_root)
        complete = [pair for pair in pairs if pair.label is not None]
        seen = list(map_with_progress(reader.look, complete, f"checking {split}", workers))
        _sum_up(report, split, seen, reader.decoder)
        _check_repeats(report, split, seen, owners)
    return report


class _Reader:
    """Looks at one pair at a time."""

    def __init__(self, spec: FolderSpec, root: Path, label_root: Path):
        self.spec, self.root, self.label_root = spec, root, label_root
        self.decoder = LabelDecoder(spec)

    def look(self, pair: FilePair) -> _Seen:
        try:
            image = read_image(self.root / pair.image)
            labels, unknown = self.decoder.read_and_count(self.label_root / str(pair.label))
        except ImageError as error:
            return _Seen(pair.image, [str(error)])
        errors = []
        if image.shape[:2] != labels.shape:
            sizes = "%dx%d, its labels %dx%d" % (image.shape[:2] + labels.shape)
            errors.append(f"{pair.image} is {sizes}")
        if sum(unknown.values()) > self.spec.max_unknown_share * labels.size:
            ids = self.decoder.describe(unknown)
            errors.append(f"{pair.label} has unknown ids: {ids}")
        counts = PixelCounts(self.spec.classes.num_classes)
        counts.add(labels)
        digest = hashlib.blake2b(image.data, digest_size=16).digest()
        return _Seen(pair.image, errors, counts, unknown, digest)


def _check_pairing(report: Report, split: str, pairs: list[FilePair], label_root: Path) -> None:
    missing = [pair.image for pair in pairs if pair.label is None]
    if missing:
        report.errors.append(f"{split}: {len(missing)} images have no labels: {list_some(missing)}")
    report.errors += (f"{split}: {problem}" for problem in shared_labels(pairs))
    used = {pair.label for pair in pairs}
    label_patterns = [pattern for rule in report.spec.splits[split] for pattern in rule.labels]
    stray = [
        match.path
        for pattern in label_patterns
        for match in patterns.expand(label_root, pattern)
        if match.path not in used
    ]
    if stray:
        report.warnings.append(f"{split}: {len(stray)} labels have no image: {list_some(stray)}")


def _sum_up(report: Report, split: str, seen: list[_Seen], decoder: LabelDecoder) -> None:
    total = report.counts[split] = PixelCounts(report.spec.classes.num_classes)
    unknown: Counter[int] = Counter()
    for item in seen:
        report.errors += (f"{split}: {error}" for error in item.errors)
        unknown.update(item.unknown)
        if item.counts is not None:
            total.merge(item.counts)
    if unknown:
        report.warnings.append(f"{split}: unknown ids are ignored: {decoder.describe(unknown)}")
    absent = [
        name for name, n in zip(report.spec.classes.names, total.pixels, strict=True) if not n
    ]
    if absent:
        report.warnings.append(f"{split}: no pixel of {', '.join(absent)}")


def _check_repeats(
    report: Report, split: str, seen: list[_Seen], owners: dict[bytes, tuple[str, str]]
) -> None:
    """Tells of images with the same pixels: in two splits, a score would reward remembering."""
    for item in seen:
        if item.digest is None:
            continue
        other_split, other = owners.setdefault(item.digest, (split, item.image))
        if other_split != split:
            report.errors.append(
                f"{item.image} ({split}) and {other} ({other_split}) are the same image"
            )
        elif other != item.image:
            report.warnings.append(f"{split}: {item.image} and {other} are the same image")


def _row(name: str, cells: list[str]) -> str:
    return f"{name:<24}" + "".join(f"{cell:>18}" for cell in cells)
