"""What the counts of a dataset leave in doubt: labels that can be read, but say too little.

A score of nothing is no pass, and a list of classes that was read wrongly shows in classes that
never occur. Where no declaration was written, this is an error with the line that mends it.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from semseg.classes import IGNORE
from semseg.data.check.class_statistics import PixelCounts
from semseg.data.declarations.specs import DatasetSpec, FolderSpec

_NEAR = 2
"""Greatest difference of a channel by which a colour is nearly another."""
_MOST_COLORS = 64
"""Unknown colours from which on they look interpolated."""
_SWAPPED = 10
_NOTABLE_SHARE = 0.002
"""Share of a class in one split from which on its share in another is compared."""


class Doubts:
    """Finds what is doubtful in a dataset's counts.

    Args:
      spec: the dataset's declaration.
    """

    def __init__(self, spec: DatasetSpec) -> None:
        self._classes = spec.classes
        self._folder = spec if isinstance(spec, FolderSpec) else None
        self._guessed = self._folder is not None and self._folder.guessed

    def stored(self) -> list[str]:
        """Returns what stands for each class in label files, and for what is ignored, the last."""
        if self._folder is None:
            return []
        meanings = [self._folder.raw_ids(label) for label in range(self._classes.num_classes)]
        return [*map(self._ids_text, [*meanings, self._folder.ignored])]

    def of_unknown(self, unknown: Mapping[int, int]) -> Iterator[str]:
        """Yields warnings about colours that are declared nowhere."""
        if self._folder is None or self._folder.decode_rule != "rgb" or self._folder.color_table:
            return
        owners = {
            raw_id: name
            for label, name in enumerate(self._classes.names)
            for raw_id in self._folder.raw_ids(label)
        }
        known = np.array([_channels(raw_id) for raw_id in owners])
        for raw_id, pixels in sorted(unknown.items(), key=lambda item: -item[1])[:10]:
            distances = np.abs(known - _channels(raw_id)).max(axis=1)
            if distances.min() <= _NEAR:
                owner = list(owners)[int(distances.argmin())]
                yield (
                    f"the colour {_color_text(raw_id)} ({pixels} px) is nearly "
                    f"{_color_text(owner)} of {owners[owner]}: declare it as it is stored"
                )
        if len(unknown) > _MOST_COLORS:
            yield (
                f"{len(unknown)} colours are declared nowhere: borders look interpolated; resize "
                "and save labels without smoothing"
            )

    def of_counts(self, counts: Mapping[str, PixelCounts]) -> tuple[list[str], list[str]]:
        """Returns errors and warnings about classes that do not occur, or elsewhere alone.

        Args:
          counts: of each split.
        """
        errors, warnings = [], []
        everywhere = sum(
            (count.pixels for count in counts.values()), np.zeros(self._classes.num_classes, int)
        )
        for split, count in counts.items():
            if not count.images:
                continue
            alone = self._nothing_to_tell_apart(count)
            if alone:
                errors.append(f"{split}: {alone}")
            absent = np.flatnonzero(count.pixels == 0)
            if absent.size and count.pixels.any():
                warnings.append(f"{split}: no pixel of {self._names(absent)}")
            if self._guessed and not alone:
                elsewhere = [label for label in absent if everywhere[label]]
                errors += (f"{split}: {text}" for text in self._missing(elsewhere))
        if self._guessed and not errors and everywhere.any():
            errors += self._never(everywhere, sum(count.ignored for count in counts.values()))
        return errors, [*warnings, *self._swapped(counts)]

    def _nothing_to_tell_apart(self, count: PixelCounts) -> str | None:
        occurring = np.flatnonzero(count.pixels)
        rest = f"all else ({count.ignored_share:.1%}) is ignored"
        if self._ignores_255 and count.ignored:
            rest = f"all else ({count.ignored_share:.1%}) is {IGNORE}, which is ignored"
        if not occurring.size:
            return (
                f"nothing to learn or score: no pixel has a class, {rest}; expected ids or colours "
                f"of {', '.join(self._classes.names)}"
            )
        if self._classes.num_classes == 1:
            name = self._classes.names[0]
            return f"one class alone, {name}, and {rest}: nothing to tell it from{self._mend(name)}"
        if occurring.size == 1:
            name = self._classes.names[int(occurring[0])]
            absent = self._names(np.flatnonzero(count.pixels == 0))
            mend = ""
            if self._classes.num_classes == 2 and count.ignored:
                mend = self._mend(self._classes.names[int(1 - occurring[0])])
            return f"{name} alone occurs, no pixel is {absent}, and {rest}{mend}"
        return None

    def _mend(self, name: str) -> str:
        if not (self._guessed and self._ignores_255):
            return ""
        if self._classes.num_classes == 1:
            return (
                f"; if {IGNORE} is {name}, write two lines in classes.txt: 'background 0' and "
                f"'{name} {IGNORE}'"
            )
        return f"; if {IGNORE} is {name}, write '{name} {IGNORE}' in classes.txt"

    def _missing(self, labels: Sequence[int]) -> Iterator[str]:
        for label in labels:
            name = self._classes.names[label]
            if name not in self._may_be_absent:
                yield (
                    f"no pixel of {name}, which other splits have: its score would say nothing; "
                    f"move an image that shows it, or write '{name} (may be absent)' in classes.txt"
                )

    def _never(self, everywhere: np.ndarray, ignored: int) -> Iterator[str]:
        """Yields an error if what never occurs looks like a list that does not fit the labels."""
        never = [
            int(label)
            for label in np.flatnonzero(everywhere == 0)
            if self._classes.names[label] not in self._may_be_absent
        ]
        if not never:
            return
        names = self._names(never)
        way_out = f"'{self._classes.names[never[0]]} (may be absent)'"
        if self._ignores_255 and ignored:
            name = self._classes.names[never[0]]
            yield (
                f"no pixel of {names} anywhere, but {ignored} of {IGNORE}, which classes.txt does "
                f"not name: write '{name} {IGNORE}' there if it is that, or 'void {IGNORE}' and "
                f"{way_out}"
            )
        elif {0, self._classes.num_classes - 1} & {*never} and self._stores_ids:
            yield (
                f"no pixel of {names} anywhere: the list and the ids of the label files may be "
                f"shifted; give each class its id, as in 'road 3', or write {way_out}"
            )

    def _swapped(self, counts: Mapping[str, PixelCounts]) -> Iterator[str]:
        splits = [split for split, count in counts.items() if count.pixels.any()]
        reference = "train" if "train" in splits else next(iter(splits), None)
        for split in splits:
            if split == reference:
                continue
            first, second = counts[str(reference)].shares, counts[split].shares
            for label, name in enumerate(self._classes.names):
                low, high = sorted((first[label], second[label]))
                if 0 < low * _SWAPPED < high and high > _NOTABLE_SHARE:
                    yield (
                        f"{name} is {first[label]:.3%} of {reference} but {second[label]:.3%} of "
                        f"{split}: are classes swapped, or the splits of different places?"
                    )

    @property
    def _stores_ids(self) -> bool:
        return self._folder is not None and self._folder.decode_rule != "rgb"

    @property
    def _ignores_255(self) -> bool:
        """Whether 255 alone is ignored, because it is no line of the list."""
        return self._stores_ids and self._folder is not None and self._folder.ignored == (IGNORE,)

    @property
    def _may_be_absent(self) -> tuple[str, ...]:
        return self._folder.may_be_absent if self._folder is not None else ()

    def _names(self, labels: Sequence[int] | np.ndarray) -> str:
        return ", ".join(self._classes.names[label] for label in labels)

    def _ids_text(self, raw_ids: Sequence[int | str]) -> str:
        by_color = self._folder is not None and self._folder.decode_rule == "rgb"
        texts = [
            _color_text(raw_id) if by_color and isinstance(raw_id, int) else str(raw_id)
            for raw_id in raw_ids
        ]
        return ", ".join(texts[:6]) + (f" and {len(texts) - 6} more" if len(texts) > 6 else "")


def _channels(raw_id: int | str) -> list[int]:
    return [int(raw_id) >> shift & 255 for shift in (16, 8, 0)]


def _color_text(raw_id: int | str) -> str:
    return str(_channels(raw_id))
