"""Checks that a dataset's files are what its declaration says, before anything is trained on them.

Lists the splits, the pairs of files and the samples to check, looks at them, and reports. Errors
are what would stop or spoil a training: images without labels, unreadable files, sizes that
differ, too many unknown ids, one image in two splits, labels that leave a score nothing to tell
apart (see ``doubts``). The rest are warnings.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from semseg.classes import ClassTable
from semseg.data.check.class_statistics import WEIGHT_RULES, PixelCounts
from semseg.data.check.doubts import Doubts
from semseg.data.check.inspection import Finding, PairInspector, Subject, shard_subject
from semseg.data.declarations import patterns
from semseg.data.declarations.specs import DatasetSpec, FolderSpec, SecondKind, ShardSpec, TownSpec
from semseg.data.files.file_cache import FileCache
from semseg.data.files.parallel import map_with_progress
from semseg.data.samples.pairing import find_pairs, list_some, present_splits, roots, shared_labels
from semseg.data.samples.second import expected_second
from semseg.data.samples.shards import shard_samples
from semseg.errors import ConfigError
from semseg.runtime.images.image_header import UPRIGHT


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


class Material(Protocol):
    """A dataset as a check sees it.

    Attributes:
      splits: names of the splits that are there.
      absent: one line for each that is not.
    """

    splits: list[str]
    absent: list[str]

    def pairing_problems(self, split: str) -> tuple[list[str], list[str]]:
        """Returns errors and warnings that are seen without reading a file."""

    def subjects(self, split: str) -> list[Subject]:
        """Returns what can be looked at."""

    def describe(self, unknown: dict[int, int]) -> str:
        """Says which unknown ids occur how often."""


class FolderMaterial:
    """Image files and label files; raises ``DatasetError`` if no split has any.

    Args:
      spec: the dataset's declaration.
      root: the dataset's folder; None takes the declaration's own.
      label_root: folder of the label files, if they are not below ``root``.
      second: second input whose files are looked at, too.
    """

    def __init__(
        self,
        spec: FolderSpec,
        root: str | Path | None,
        label_root: str | Path | None,
        second: SecondKind | None,
    ):
        self._spec, self._second = spec, second
        self._roots = roots(spec, root, label_root)
        self._inspector = PairInspector(spec, *self._roots)
        self.splits, problems = present_splits(spec, root, label_root)
        self.absent = [*map(str, problems)]
        self._pairs = {split: find_pairs(spec, root, split, label_root) for split in self.splits}
        self._seconds = {
            split: expected_second(spec, second, pairs, self._roots, self._inspector.decoder)
            if second
            else {}
            for split, pairs in self._pairs.items()
        }

    def pairing_problems(self, split: str) -> tuple[list[str], list[str]]:
        """Returns images without labels or second input; and labels without an image."""
        pairs, seconds = self._pairs[split], self._seconds[split]
        missing = {
            "labels": [pair.image for pair in pairs if pair.label is None],
            f"{self._second} file": [
                image for image, second in seconds.items() if not second.path.is_file()
            ],
        }
        if self._second and not seconds:
            missing[f"{self._second} file"] = [pair.image for pair in pairs]
        errors = [
            f"{len(images)} images have no {what}: {list_some(images)}"
            for what, images in missing.items()
            if images
        ]
        stray = self._labels_without_image(split)
        warnings = [f"{len(stray)} labels have no image: {list_some(stray)}"] if stray else []
        return [*errors, *shared_labels(pairs)], warnings

    def subjects(self, split: str) -> list[Subject]:
        """Returns the pairs that are complete, with those second inputs that are there."""
        present = {
            image: second for image, second in self._seconds[split].items() if second.path.is_file()
        }
        return [
            self._inspector.subject(pair, present.get(pair.image))
            for pair in self._pairs[split]
            if pair.label
        ]

    def describe(self, unknown: dict[int, int]) -> str:
        """Says which unknown ids occur how often."""
        return self._inspector.decoder.describe(unknown)

    def _labels_without_image(self, split: str) -> list[str]:
        rules = [rule for rule in self._spec.splits[split] if rule.labels]
        if not rules:
            return []
        # A rule may take a block of the files, and some may be left out: these have an image, too.
        whole = tuple(rule.model_copy(update={"part": (0.0, 1.0)}) for rule in rules)
        spec = self._spec.model_copy(update={"splits": {split: whole}, "excluded": ()})
        root, label_root = self._roots
        used = {pair.label for pair in find_pairs(spec, root, split, label_root)}
        matches = (
            match.path
            for rule in rules
            for pattern in rule.labels
            for match in patterns.expand(label_root, pattern)
        )
        return [path for path in matches if path not in used]


class ShardMaterial:
    """Samples in shards."""

    def __init__(self, spec: ShardSpec, root: str | Path | None, second: SecondKind | None):
        self._spec, self._root, self._second = spec, root, second
        self.splits = list(spec.splits)
        self.absent: list[str] = []

    def pairing_problems(self, split: str) -> tuple[list[str], list[str]]:
        """Returns nothing: a record holds an image and its labels."""
        return [], []

    def subjects(self, split: str) -> list[Subject]:
        """Returns the samples."""
        num_classes = self._spec.classes.num_classes
        found = shard_samples(self._spec, self._root, split, self._second)
        return [shard_subject(sample, num_classes) for sample in found]

    def describe(self, unknown: dict[int, int]) -> str:
        """Says which unknown ids occur how often; labels have none."""
        return ", ".join(map(str, unknown))


_FINDINGS = 2
"""Version of what is looked for in a file; findings of another one are not taken."""
_SHOWN = 4


def check(
    spec: DatasetSpec,
    root: str | Path | None,
    label_root: str | Path | None = None,
    *,
    splits: Sequence[str] | None = None,
    second: SecondKind | None = None,
    cache: Path | None = None,
    workers: int | None = None,
) -> Report:
    """Reads every file of a dataset.

    Args:
      spec: the dataset's declaration.
      root: the dataset's folder; None takes the declaration's own.
      label_root: folder of the label files, if they are not below ``root``.
      splits: those to check of the splits that are there; None checks all.
      second: second input whose files are read, too.
      cache: folder where findings are kept, so that the next check reads new and changed files
        alone; None keeps nothing.
      workers: threads; None takes as many as there are processors.

    Returns:
      The report.

    Raises:
      ConfigError: no second input of this kind is declared, or samples are no files (the town).
      DatasetError: no split has an image, so the root is wrong.
    """
    if isinstance(spec, TownSpec):
        raise ConfigError(f"'{spec.name}' has no files to check: its samples are rendered")
    report = Report(spec.name, spec.classes)
    material: Material
    doubts = Doubts(spec)
    if isinstance(spec, FolderSpec):
        material = FolderMaterial(spec, root, label_root, second)
        report.stored = doubts.stored()
        report.warnings += spec.notes
    else:
        material = ShardMaterial(spec, root, second)
    if splits is None:
        report.warnings += material.absent
    content = f"{_FINDINGS} {spec.model_dump_json()} {_place(root)} {_place(label_root)} {second}"
    kept = FileCache(cache, spec.name, content, Finding.to_json, Finding.from_json)
    owners: dict[str, tuple[str, str]] = {}
    for split in material.splits:
        if splits is not None and split not in splits:
            continue
        errors, warnings = material.pairing_problems(split)
        report.errors += (f"{split}: {error}" for error in errors)
        report.warnings += (f"{split}: {warning}" for warning in warnings)
        findings = _look(material.subjects(split), split, kept, workers)
        _sum_up(report, split, findings, material, doubts)
        _check_repeats(report, split, findings, owners)
    errors, warnings = doubts.of_counts(report.counts)
    report.errors += errors
    report.warnings += warnings
    return report


def _look(
    subjects: Sequence[Subject], split: str, kept: FileCache[Finding], workers: int | None
) -> list[Finding]:
    """Looks at what was not looked at before."""
    new = [subject for subject in subjects if subject.stamp not in kept.found]
    looks = map_with_progress(_look_at, new, f"checking {split}", workers) if new else ()
    found: dict[str, Finding] = {}
    try:
        for subject, finding in zip(new, looks, strict=True):
            found[subject.stamp] = finding
    finally:
        kept.keep(found)
    return [kept.found[subject.stamp] for subject in subjects]


def _look_at(subject: Subject) -> Finding:
    return subject.look()


def _sum_up(
    report: Report,
    split: str,
    findings: Sequence[Finding],
    material: Material,
    doubts: Doubts,
) -> None:
    total = report.counts[split] = PixelCounts(report.classes.num_classes)
    unknown: Counter[int] = Counter()
    signs: Counter[str] = Counter()
    for finding in findings:
        report.errors += (f"{split}: {error}" for error in finding.errors)
        unknown.update(finding.unknown)
        signs.update(finding.signs)
        if finding.pixels is not None:
            total.add_counted(np.array(finding.pixels[:-1]), finding.pixels[-1])
    turned = [f for f in findings if f.orientation != UPRIGHT]
    if turned:
        named = list_some([f"{f.name} ({f.orientation})" for f in turned])
        report.warnings.append(
            f"{split}: {len(turned)} of {len(findings)} images are turned by their EXIF"
            f" orientation; their labels must be drawn on the turned image: {named}"
        )
    if unknown:
        report.warnings.append(f"{split}: unknown ids are ignored: {material.describe(unknown)}")
        report.warnings += (f"{split}: {warning}" for warning in doubts.of_unknown(unknown))
    report.warnings += (
        f"{split}: {number} of {len(findings)} {sign}" for sign, number in sorted(signs.items())
    )
    blank = [
        finding.name
        for finding in findings
        if finding.pixels is not None and not any(finding.pixels[:-1])
    ]
    if blank and total.pixels.any():
        report.warnings.append(f"{split}: {len(blank)} images have no class: {list_some(blank)}")
    if total.pixels.any():
        report.rarest[split] = _rarest(total, findings)


def _rarest(total: PixelCounts, findings: Sequence[Finding]) -> RareClass:
    label = int(np.argmin(np.where(total.pixels > 0, total.pixels, np.iinfo(np.int64).max)))
    shown = {
        finding.name: finding.pixels[label] for finding in findings if finding.pixels is not None
    }
    best = sorted((name for name in shown if shown[name]), key=lambda name: -shown[name])
    return RareClass(label, float(total.shares[label]), best[:_SHOWN])


def _check_repeats(
    report: Report, split: str, findings: Sequence[Finding], owners: dict[str, tuple[str, str]]
) -> None:
    """Tells of images with the same pixels: in two splits, a score would reward remembering.

    A file that two splits name is declared so, such as those of a split that joins two.
    """
    declared: Counter[str] = Counter()
    for finding in findings:
        if finding.digest is None:
            continue
        other_split, other = owners.setdefault(finding.digest, (split, finding.name))
        if other == finding.name:
            declared.update({other_split} - {split})
        elif other_split != split:
            report.errors.append(
                f"{finding.name} ({split}) and {other} ({other_split}) are the same image"
            )
        else:
            report.warnings.append(f"{split}: {finding.name} and {other} are the same image")
    for other_split, number in declared.items():
        report.warnings.append(
            f"{split}: {number} of its images are declared for {other_split} too"
        )


def _place(folder: str | Path | None) -> str:
    return os.path.abspath(folder) if folder else ""
