"""Scores a model on a dataset whose classes are others than the model's."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import yaml

from semseg.classes import IGNORE, ClassTable
from semseg.errors import ConfigError, unknown_name

IGNORED = "ignore"
"""What a class map says of a class that the dataset does not have."""


class ClassMap(NamedTuple):
    """Turns a model's labels into a dataset's.

    Attributes:
      classes: the dataset's classes.
      table: the dataset's label of each of the model's labels, uint8 (256,); ``IGNORE`` where
        there is none.
    """

    classes: ClassTable
    table: np.ndarray

    @classmethod
    def create(
        cls, model: ClassTable, dataset: ClassTable, names: Mapping[str, str] | None = None
    ) -> Self:
        """Maps classes by name.

        Args:
          model: the model's classes.
          dataset: the dataset's classes.
          names: the dataset's class name, or ``ignore``, for classes of the model; classes left
            out keep their name.

        Raises:
          ConfigError: a name is in neither table, or a class of the model finds no partner.
        """
        names = names or {}
        for name in names:
            if name not in model.names:
                raise ConfigError(
                    "class map: " + unknown_name("class of the model", name, model.names)
                )
        targets = [names.get(name, name) for name in model.names]
        for target in names.values():
            if target not in (IGNORED, *dataset.names):
                choices = [IGNORED, *dataset.names]
                raise ConfigError(
                    "class map: " + unknown_name("class of the dataset", target, choices)
                )
        strangers = [name for name in targets if name not in (IGNORED, *dataset.names)]
        if strangers:
            raise ConfigError(
                f"the model's classes {', '.join(strangers)} are none of the dataset's"
                f" ({', '.join(dataset.names)}); say with --class-map what they are there"
            )
        table = np.full(256, IGNORE, np.uint8)
        for label, target in enumerate(targets):
            if target != IGNORED:
                table[label] = dataset.names.index(target)
        return cls(dataset, table)

    def membership(self) -> np.ndarray:
        """Returns float32 (C, 256): 1 where a model's label (column) means a class (row)."""
        return (self.table == np.arange(self.classes.num_classes)[:, None]).astype(np.float32)


def read_class_map(path: str | Path) -> dict[str, str]:
    """Reads a YAML file of ``model class: dataset class`` lines.

    Raises:
      ConfigError: the file is missing or holds anything else.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}")
    if not isinstance(content, dict) or not all(
        isinstance(text, str) for pair in content.items() for text in pair
    ):
        raise ConfigError(f"{path}: expected lines 'model class: dataset class', or ': ignore'")
    return content
