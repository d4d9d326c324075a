"""Class maps: from the classes of one table to those of another, or to groups of them.

A map is a YAML file. It lets a network be trained on groups of a dataset's classes, several
datasets share one table, and a model be scored on a dataset whose classes are not its own.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from pydantic import Field

from semseg import resources
from semseg.classes import IGNORE, ClassTable
from semseg.data.declarations.find import load_dataset
from semseg.data.declarations.strict_yaml import StrictModel, read_yaml, validate
from semseg.errors import ConfigError, unknown_name

IGNORED = "ignore"
"""What a class map says of a class that has no partner."""


class ClassMap(NamedTuple):
    """Turns labels of one class table into those of another.

    Attributes:
      classes: the other table.
      table: the new label of each label, uint8 (256,); ``IGNORE`` where there is none.
    """

    classes: ClassTable
    table: np.ndarray

    @classmethod
    def create(
        cls, source: ClassTable, target: ClassTable, names: Mapping[str, str] | None = None
    ) -> Self:
        """Maps classes by name.

        Args:
          source: the classes to map.
          target: the classes to map to.
          names: class of the target, or ``ignore``, for classes of the source; classes left out
            keep their name. Names that the source does not have are passed over, so that one
            map can serve several tables.

        Raises:
          ConfigError: a class of the source finds no partner, or the map names a class that the
            target does not have.
        """
        names = names or {}
        choices = (IGNORED, *target.names)
        for name in names.values():
            if name not in choices:
                raise ConfigError("class map: " + unknown_name("class", name, choices))
        partners = [names.get(name, name) for name in source.names]
        strangers = [
            name
            for name, partner in zip(source.names, partners, strict=True)
            if partner not in choices
        ]
        if strangers:
            raise ConfigError(
                f"classes {', '.join(strangers)} are none of {', '.join(target.names)}; "
                "say with a class map what they are there"
            )
        table = np.full(256, IGNORE, np.uint8)
        for label, partner in enumerate(partners):
            if partner != IGNORED:
                table[label] = target.names.index(partner)
        return cls(target, table)

    def membership(self) -> np.ndarray:
        """Returns float32 (C, 256): 1 where a source's label (column) means a class (row)."""
        return (self.table == np.arange(self.classes.num_classes)[:, None]).astype(np.float32)


class Group(StrictModel):
    """One class of a map's own table: ``name`` and ``color``, RGB 0..255."""

    name: str
    color: tuple[int, int, int]


class ClassMapFile(StrictModel):
    """What the YAML file of a class map says.

    Attributes:
      classes: the table that is mapped to: groups, or the name of a dataset that has it. None:
        whatever table the classes are compared with.
      names: ``map`` in YAML: class -> class of that table, or ``ignore``.
    """

    classes: str | tuple[Group, ...] | None = None
    names: dict[str, str] = Field(default={}, alias="map")

    def target(self, default: ClassTable) -> ClassTable:
        """Returns the table that is mapped to; ``default`` if the file names none."""
        if self.classes is None:
            return default
        if isinstance(self.classes, str):
            return load_dataset(self.classes).classes
        return ClassTable.create(
            [group.name for group in self.classes], [group.color for group in self.classes]
        )

    def between(self, model: ClassTable, dataset: ClassTable) -> tuple[ClassMap, ClassMap]:
        """Maps a model's and a dataset's classes to one table.

        Args:
          model: the classes of a model.
          dataset: the classes of the truth; the common table, if the file names none.

        Returns:
          The map of the model's labels and that of the dataset's.

        Raises:
          ConfigError: as in ``ClassMap.create``.
        """
        target = self.target(dataset)
        return self.onto(target, model), self.onto(target, dataset)

    def onto(self, target: ClassTable, source: ClassTable) -> ClassMap:
        """Maps the classes of ``source``, where they are not the target's already."""
        return ClassMap.create(source, target, None if source == target else self.names)


def read_class_map(class_map: str | Path) -> ClassMapFile:
    """Reads a class map.

    Args:
      class_map: name of a shipped one (``config/class_maps``), or the path of a YAML file.

    Raises:
      ConfigError: an unknown name, or a file that is no valid class map.
    """
    path = Path(class_map)
    if path.suffix not in (".yaml", ".yml"):
        path = _shipped_map(str(class_map))
    return validate(ClassMapFile, read_yaml(path), path)


def class_map_names() -> list[str]:
    """Returns the names of the shipped class maps."""
    folder = Path(resources.shipped_file("config", "class_maps"))
    return sorted(path.stem for path in folder.glob("*.yaml"))


def _shipped_map(name: str) -> Path:
    if name not in class_map_names():
        known = unknown_name("class map", name, class_map_names())
        raise ConfigError(f"{known}; or give the path of a .yaml file")
    return Path(resources.shipped_file("config", "class_maps", f"{name}.yaml"))
