"""What there is to check in a dataset: its splits, its pairs of files, its samples."""

from pathlib import Path
from typing import Protocol

from semseg.data.check.inspection import PairInspector, Subject, shard_subject
from semseg.data.declarations import patterns
from semseg.data.declarations.second_config import SecondKind
from semseg.data.declarations.specs import FolderSpec, ShardSpec
from semseg.data.samples.pairing import find_pairs, list_some, present_splits, roots, shared_labels
from semseg.data.samples.second import expected_second
from semseg.data.samples.shards import shard_samples


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
