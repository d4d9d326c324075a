"""What a check sees in one image and its labels."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from semseg.classes import IGNORE
from semseg.data.check.signs import blending_signs
from semseg.data.declarations.specs import FolderSpec
from semseg.data.files.file_cache import file_stamp
from semseg.data.samples.label_decoder import LabelDecoder
from semseg.data.samples.pairing import FilePair
from semseg.data.samples.second import DisparityFile, RightFiles
from semseg.data.samples.shards import ShardSample
from semseg.errors import DatasetError, ImageError
from semseg.runtime.images.image_file import exif_hint, read_image, read_orientation
from semseg.runtime.images.image_header import UPRIGHT


class Finding(NamedTuple):
    """What was seen in one sample.

    Attributes:
      name: the image's path, or the sample's name.
      errors: one line each.
      pixels: of each class, and the ignored ones last; None if the sample cannot be read.
      unknown: raw id that is not declared -> its pixels.
      digest: of the image's pixels; None if the sample cannot be read.
      orientation: of the image, as EXIF numbers it; it has been applied.
      signs: of what may be wrong though it can be read, see ``signs``.
    """

    name: str
    errors: list[str]
    pixels: list[int] | None = None
    unknown: dict[int, int] = {}
    digest: str | None = None
    orientation: int = UPRIGHT
    signs: list[str] = []

    def to_json(self) -> dict[str, Any]:
        """Returns what ``from_json`` reads; JSON's own keys would be texts."""
        return {**self._asdict(), "unknown": list(self.unknown.items())}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Builds a finding from what ``to_json`` returned."""
        return cls(**{**values, "unknown": dict(values["unknown"])})


@dataclass(frozen=True)
class Subject:
    """A sample that is to be looked at.

    Attributes:
      stamp: names of its files with size and time of change; another one is another content.
      look: reads it.
    """

    stamp: str
    look: Callable[[], Finding]


class PairInspector:
    """Looks at the image files and label files of a dataset."""

    def __init__(self, spec: FolderSpec, root: Path, label_root: Path):
        self._spec, self._root, self._label_root = spec, root, label_root
        self.decoder = LabelDecoder(spec)

    def subject(self, pair: FilePair, second: RightFiles | DisparityFile | None = None) -> Subject:
        """Returns a pair, relative to the roots, and its second input as a subject."""
        image, labels = self._root / pair.image, self._label_root / str(pair.label)
        stamp = f"{pair.image} {file_stamp(image)} {pair.label} {file_stamp(labels)}"
        if second is not None:
            stamp += "".join(f" {path} {file_stamp(path)}" for path in second.paths)
        return Subject(stamp, partial(self._look, pair, image, labels, second))

    def _look(
        self,
        pair: FilePair,
        image_path: Path,
        label_path: Path,
        second: RightFiles | DisparityFile | None,
    ) -> Finding:
        try:
            image = read_image(image_path)
            orientation = read_orientation(image_path)
            labels, unknown = self.decoder.read_and_count(label_path)
        except (ImageError, DatasetError) as error:
            return Finding(pair.image, [str(error)])
        errors = [
            error + exif_hint(image_path, labels.shape)
            for error in _size_errors(pair.image, image, {"labels": labels})
        ]
        errors += _second_errors(pair.image, image, second)
        if sum(unknown.values()) > self._spec.max_unknown_share * labels.size:
            errors.append(f"{pair.label} has unknown ids: {self.decoder.describe(unknown)}")
        pixels = _pixels(labels, self._spec.classes.num_classes)
        signs = [*blending_signs(labels)]
        return Finding(
            pair.image, errors, pixels, unknown, _digest(image), orientation, signs=signs
        )


def shard_subject(sample: ShardSample, num_classes: int) -> Subject:
    """Returns a sample of a shard as a subject; it stores labels, of ``num_classes`` classes."""
    stamp = f"{sample.name} {file_stamp(sample.path)} {sample.offset}"
    return Subject(stamp, partial(_look_at_shard, sample, num_classes))


def _look_at_shard(sample: ShardSample, num_classes: int) -> Finding:
    try:
        image, labels = sample.read()
        second = {
            "second input": sample.read_second(),
            "right image's labels": sample.read_right_labels(),
        }
    except ImageError as error:
        return Finding(sample.name, [str(error)])
    errors = [*_size_errors(sample.name, image, {"labels": labels, **second})]
    pixels = _pixels(labels, num_classes)
    if sum(pixels) < labels.size:
        errors.append(f"{sample.name} has labels above {num_classes - 1}")
    return Finding(sample.name, errors, pixels, {}, _digest(image))


def _size_errors(
    name: str, image: np.ndarray, parts: Mapping[str, np.ndarray | None]
) -> Iterator[str]:
    for what, part in parts.items():
        if part is not None and image.shape[:2] != part.shape[:2]:
            height, width = part.shape[:2]
            yield f"{name} is {image.shape[0]}x{image.shape[1]}, its {what} {height}x{width}"


def _second_errors(
    name: str, image: np.ndarray, second: RightFiles | DisparityFile | None
) -> list[str]:
    try:
        if isinstance(second, RightFiles):
            parts = {"right image": second.read(), "right image's labels": second.read_labels()}
        else:
            parts = {"disparity": second and second.read()}
    except (ImageError, DatasetError) as error:
        return [str(error)]
    return [*_size_errors(name, image, parts)]


def _pixels(labels: np.ndarray, num_classes: int) -> list[int]:
    histogram = np.bincount(labels.ravel(), minlength=IGNORE + 1)
    return [*histogram[:num_classes].tolist(), int(histogram[IGNORE])]


def _digest(image: np.ndarray) -> str:
    return hashlib.blake2b(image.data, digest_size=16).hexdigest()
