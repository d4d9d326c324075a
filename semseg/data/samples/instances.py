"""Instance files: which pixels are one and the same car."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from semseg.classes import IGNORE
from semseg.data.declarations.specs import FolderSpec, InstanceConfig
from semseg.data.files.pixels import read_raw_ids
from semseg.data.samples.samples import Sample
from semseg.data.samples.second import replaced
from semseg.errors import DatasetError

_VALUES = 1 << 16
_log = logging.getLogger(__name__)


class Instances(NamedTuple):
    """The instances of an image.

    Attributes:
      pixels: position in ``labels`` of each pixel's instance, int32 (H, W); -1 for none.
      labels: label of each instance, uint8 (N,); ``IGNORE`` where its class is none of the table.
    """

    pixels: np.ndarray
    labels: np.ndarray


class InstanceReader:
    """Reads the instance files that belong to label files.

    Args:
      spec: the declaration of the dataset.
      config: its instances.
    """

    def __init__(self, spec: FolderSpec, config: InstanceConfig) -> None:
        self._config = config
        self._labels = np.full(_VALUES, IGNORE, np.uint8)
        for label in range(spec.classes.num_classes):
            self._labels[list(spec.raw_ids(label))] = label

    @classmethod
    def create(cls, spec: FolderSpec, samples: Sequence[Sample]) -> Self | None:
        """Returns the reader of a dataset; None if it declares no instances or has no such file.

        Raises:
          DatasetError: some samples have an instance file and others have none.
        """
        if spec.scores.instances is None:
            return None
        reader = cls(spec, spec.scores.instances)
        paths = [reader._path(sample) for sample in samples]
        missing = [path for path in paths if not path.is_file()]
        if len(missing) == len(samples):
            _log.warning("no instance files of '%s': iIoU is not scored", spec.name)
            return None
        if missing:
            raise DatasetError(
                f"{len(missing)} of {len(paths)} samples of '{spec.name}' have no instance file,"
                f" the first is {missing[0]}"
            )
        return reader

    def read(self, sample: Sample) -> Instances:
        """Reads the instances of a sample; raises ``ImageError``."""
        values = read_raw_ids(self._path(sample), "uint16")
        present = np.flatnonzero(np.bincount(values.ravel(), minlength=_VALUES))
        present = present[present >= self._config.divisor]
        index = np.full(_VALUES, -1, np.int32)
        index[present] = np.arange(len(present))
        return Instances(index[values], self._labels[present // self._config.divisor])

    def _path(self, sample: Sample) -> Path:
        return Path(replaced(str(sample.label_path), self._config.replace) or "")
