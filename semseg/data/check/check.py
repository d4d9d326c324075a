"""Checks that a dataset's files are what its declaration says, before anything is trained on them.

Errors are what would stop or spoil a training: images without labels, unreadable files, sizes
that differ, too many unknown ids, one image in two splits, labels that leave a score nothing to
tell apart (see ``doubts``). The rest are warnings.
"""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semseg.data.check.check_material import FolderMaterial, Material, ShardMaterial
from semseg.data.check.check_report import RareClass, Report
from semseg.data.check.class_statistics import PixelCounts
from semseg.data.check.doubts import Doubts
from semseg.data.check.inspection import Finding, Subject
from semseg.data.declarations.second_config import SecondKind
from semseg.data.declarations.specs import DatasetSpec, FolderSpec, TownSpec
from semseg.data.files.file_cache import FileCache
from semseg.data.files.parallel import map_with_progress
from semseg.data.samples.pairing import list_some
from semseg.errors import ConfigError

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
