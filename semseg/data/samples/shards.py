"""Shards: the samples of a prepared dataset in a few TFRecord files instead of many small ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semseg.data.declarations import patterns
from semseg.data.declarations.specs import UNITS_PER_PIXEL, SecondKind, ShardSpec
from semseg.data.files.pixels import decode_raw_ids
from semseg.data.files.tfrecords import EncodedSample, read_example, read_index, read_record
from semseg.errors import ConfigError, DatasetError, ImageError, unknown_name
from semseg.runtime.graph.protobuf import WireError
from semseg.runtime.images.image_file import decode_image


@dataclass(frozen=True)
class ShardSample:
    """A ``Sample`` in a TFRecord file.

    Attributes:
      name: the sample's name.
      path: the TFRecord file.
      offset: position of its record in bytes.
      second: the second input that was asked for, which the record has.
    """

    name: str
    path: Path
    offset: int
    second: SecondKind | None = None
    image_path: Path | None = None
    label_path: Path | None = None

    def read_image(self) -> np.ndarray:
        """Returns the image, uint8 (H, W, 3) RGB; raises ``ImageError``."""
        return decode_image(self._record().image, self._place)

    def read_labels(self) -> np.ndarray:
        """Returns the labels, uint8 (H, W); raises ``ImageError``."""
        return decode_raw_ids(self._record().labels, self._place, "gray8")

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns image and labels; raises ``ImageError``."""
        record = self._record()
        image = decode_image(record.image, self._place)
        return image, decode_raw_ids(record.labels, self._place, "gray8")

    def read_second(self) -> np.ndarray | None:
        """Returns the second input, see ``Sample``; raises ``ImageError``."""
        if self.second is None:
            return None
        record = self._record()
        data = record.right if self.second == "right" else record.disparity
        if data is None:
            raise ImageError(f"{self._place}: holds no {self.second}")
        if self.second == "right":
            return decode_image(data, self._place)
        values = decode_raw_ids(data, self._place, "uint16")
        return values[..., np.newaxis].astype(np.float32) / np.float32(UNITS_PER_PIXEL)

    def read_right_labels(self) -> np.ndarray | None:
        """Returns the right image's labels, see ``Sample``; raises ``ImageError``."""
        labels = self._record().right_labels if self.second == "right" else None
        return None if labels is None else decode_raw_ids(labels, self._place, "gray8")

    @property
    def _place(self) -> str:
        return f"{self.path}, record {self.name}"

    def _record(self) -> EncodedSample:
        try:
            return read_example(read_record(self.path, self.offset))
        except WireError as error:
            raise ImageError(f"{self._place}: {error}")


def shard_samples(
    spec: ShardSpec, root: str | Path | None, split: str, second: SecondKind | None = None
) -> Iterator[ShardSample]:
    """Finds the samples of a split, in the order in which they were prepared.

    Args:
      spec: the dataset's declaration.
      root: the dataset's folder; None takes the declaration's own, if it has one.
      split: name of the split.
      second: what the samples are to have beside the image.

    Yields:
      The samples, at least one.

    Raises:
      ConfigError: no root, or a second input that the records do not have.
      DatasetError: no file, or one that does not belong to its index.
    """
    root = root or spec.root
    if root is None:
        raise ConfigError(f"dataset '{spec.name}' needs a root folder (--root DIR)")
    if second not in (None, spec.second):
        held = [spec.second] if spec.second else []
        raise ConfigError(unknown_name(f"second input of '{spec.name}'", str(second), held))
    pattern = spec.splits[split]
    paths = [Path(root) / match.path for match in patterns.expand(root, pattern)]
    if not paths:
        raise DatasetError(f"{root}: no shard of '{spec.name}', split '{split}': {pattern}")
    for path in paths:
        for name, offset in read_index(path).offsets.items():
            yield ShardSample(name, path, offset, second)
