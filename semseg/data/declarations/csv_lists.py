"""Datasets as PARIS-sem-seg describes them: a JSON class table, and CSV lists of image,label.

Its label files have one channel: 8 bits, or 16 of which the upper 8 are the raw id.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import model_validator

from semseg.data.declarations.strict_yaml import StrictModel, validate
from semseg.errors import ConfigError


class ClassTableFile(StrictModel):
    """What the JSON file of a dataset says.

    Attributes:
      dataset_name: short name.
      class_names: names of the classes, in label order.
      rgb_colors: a colour for each.
      original_to_train_mapping: the label of each raw id, by position.
      void_label: what the mapping has for raw ids without a class.
    """

    dataset_name: str
    class_names: tuple[str, ...]
    rgb_colors: tuple[tuple[int, int, int], ...]
    original_to_train_mapping: tuple[int, ...]
    void_label: int = -1

    @model_validator(mode="after")
    def _be_consistent(self) -> "ClassTableFile":
        if len(self.rgb_colors) != len(self.class_names):
            raise ValueError(
                f"expected a colour for each of {len(self.class_names)} classes, found "
                f"{len(self.rgb_colors)}"
            )
        known = {self.void_label, *range(len(self.class_names))}
        strange = sorted(set(self.original_to_train_mapping) - known)
        if strange:
            raise ValueError(f"original_to_train_mapping: {strange} are no labels of classes")
        return self


def read_class_table(path: Path) -> dict[str, Any]:
    """Reads a JSON class table.

    Args:
      path: the file.

    Returns:
      What a declaration would say: ``name``, ``decode``, ``classes`` and ``ignored``.

    Raises:
      ConfigError: no such file, or another form.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: no class table can be read: {error}")
    table = validate(ClassTableFile, values, path)

    def raw_ids(wanted: int) -> list[int]:
        mapping = table.original_to_train_mapping
        return [raw_id for raw_id, label in enumerate(mapping) if label == wanted]

    named = zip(table.class_names, table.rgb_colors, strict=True)
    return {
        "name": table.dataset_name,
        "decode": "top8",
        "classes": [
            {"name": name, "color": list(color), "ids": raw_ids(label)}
            for label, (name, color) in enumerate(named)
        ],
        "ignored": raw_ids(table.void_label),
    }


def lists_beside(path: Path) -> dict[str, Any]:
    """Finds the lists of a class table: ``bdd/train.csv`` and so on for ``bdd.json``.

    Args:
      path: the class table.

    Returns:
      The splits, as a declaration would say them: each list is one.

    Raises:
      ConfigError: there is none.
    """
    folder = path.with_suffix("")
    lists = sorted(folder.glob("*.csv"))
    if not lists:
        raise ConfigError(
            f"{path}: expected the lists in {folder}/*.csv, found none; a YAML file with "
            "'class_table' and 'splits' may say where they are"
        )
    return {found.stem: {"list_file": str(found.resolve())} for found in lists}
