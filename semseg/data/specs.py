"""Dataset declarations: one YAML file says where a dataset's files are and what they mean."""

import logging
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from semseg import resources
from semseg.classes import ClassTable
from semseg.data import patterns
from semseg.data.strict_yaml import StrictModel, read_yaml, validate
from semseg.errors import ConfigError, unknown_name
from semseg.town import SPLITS, TOWN_CLASSES

_LOG = logging.getLogger(__name__)

RAW_LIMITS = {
    "gray8": 1 << 8,
    "palette": 1 << 8,
    "red": 1 << 16,
    "uint16": 1 << 16,
    "rgb": 1 << 24,
}
"""Decode rule -> number of raw ids that it can give."""


def pack_color(color: Any) -> Any:
    """Returns the raw id of an RGB colour, ``red << 16 | green << 8 | blue``.

    A number is returned as it is, so that YAML may hold ids as well as colours.
    """
    if not isinstance(color, tuple):
        return color
    if len(color) != 3 or not all(type(value) is int and 0 <= value <= 255 for value in color):
        raise ValueError(f"a colour is three integers 0..255, found {color}")
    red, green, blue = color
    return red << 16 | green << 8 | blue


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str | dict) else value


RawId = Annotated[int, BeforeValidator(pack_color), Field(ge=0)]


class ClassEntry(StrictModel):
    """One class of a dataset.

    Attributes:
      name: the class's name.
      color: RGB, 0..255.
      ids: the raw ids, or for the rule ``rgb`` the colours, that mean this class. Without it:
        the class's position in the list, or its colour.
    """

    name: str
    color: tuple[int, int, int]
    ids: tuple[RawId, ...] | None = None


class PairRule(StrictModel):
    """Where some images of a split are, and the label file of each.

    Attributes:
      images: pattern of the images, relative to the root.
      labels: patterns of the label file, of which the first that exists is taken.
      list_file: instead of both, a file with ``image label`` on each line, relative to the root.
    """

    images: str | None = None
    labels: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    list_file: str | None = None

    @model_validator(mode="after")
    def _be_complete(self) -> "PairRule":
        by_pattern = self.images is not None and bool(self.labels)
        if by_pattern == bool(self.list_file) or (self.list_file and (self.images or self.labels)):
            raise ValueError("a split has either images and labels, or a list_file")
        for labels in self.labels:
            expected = patterns.count_wildcards(self.images or "")
            if patterns.count_wildcards(labels) != expected:
                raise ValueError(f"'{labels}' must have as many wildcards as '{self.images}'")
        return self


class FolderSpec(StrictModel):
    """A dataset of image and label files.

    Attributes:
      name: short name, as in ``--dataset``.
      title: what it is, in a line.
      terms: licence or terms of use.
      source: where samples come from.
      decode: how a label file's pixels become raw ids: ``gray8``, ``palette`` (the index),
        ``red`` (the first channel), ``uint16``, ``rgb`` (colours); ``uint16 // 256`` divides.
      entries: the classes, in label order; ``classes`` in YAML.
      ignored: raw ids or colours that mean "no class".
      max_unknown_share: share of a label file's pixels, 0..1, whose raw ids may be unknown.
      splits: split name -> the rules that find its files.
      unverified: true if the declaration was never tried on the real files.
    """

    name: str
    title: str = ""
    terms: str = ""
    source: Literal["files"] = "files"
    decode: str = "gray8"
    entries: Annotated[tuple[ClassEntry, ...], Field(alias="classes")]
    ignored: tuple[RawId, ...] = ()
    max_unknown_share: Annotated[float, Field(ge=0, le=1)] = 0.01
    splits: dict[str, Annotated[tuple[PairRule, ...], BeforeValidator(_as_tuple)]]
    unverified: bool = False

    @property
    def classes(self) -> ClassTable:
        """Names and colours of the classes."""
        return ClassTable.create(
            [entry.name for entry in self.entries], [entry.color for entry in self.entries]
        )

    @property
    def decode_rule(self) -> str:
        """The decode rule without its divisor."""
        return self.decode.split("//")[0].strip()

    @property
    def divisor(self) -> int:
        """What the file's values are divided by, rounding down, to give raw ids."""
        return int(self.decode.split("//")[1]) if "//" in self.decode else 1

    def raw_ids(self, label: int) -> tuple[int, ...]:
        """Returns the raw ids that mean a label."""
        entry = self.entries[label]
        if entry.ids is not None:
            return entry.ids
        return (pack_color(entry.color) if self.decode_rule == "rgb" else label,)

    @model_validator(mode="after")
    def _be_consistent(self) -> "FolderSpec":
        rule = self.decode_rule
        if rule not in RAW_LIMITS:
            raise ValueError(unknown_name("decode rule", rule, RAW_LIMITS))
        if not re.fullmatch(r"\w+( *// *[1-9][0-9]*)?", self.decode):
            raise ValueError(f"a decode rule is a name or 'uint16 // 256', found '{self.decode}'")
        try:
            classes = self.classes
        except ConfigError as error:
            raise ValueError(str(error))
        self._check_raw_ids(RAW_LIMITS[rule], classes)
        return self

    def _check_raw_ids(self, limit: int, classes: ClassTable) -> None:
        owners = dict.fromkeys(self.ignored, "ignored")
        for label, name in enumerate(classes.names):
            for raw_id in self.raw_ids(label):
                if raw_id in owners:
                    raise ValueError(f"raw id {raw_id} is both {owners[raw_id]} and {name}")
                owners[raw_id] = name
        for raw_id, owner in owners.items():
            if raw_id >= limit:
                raise ValueError(f"raw id {raw_id} of {owner} is not below {limit} ({self.decode})")


class TownSpec(StrictModel):
    """The synthetic town as a dataset: its samples are rendered when they are read.

    Attributes:
      name: short name, as in ``--dataset``.
      title: what it is, in a line.
      terms: licence or terms of use.
      source: where samples come from.
      size: (height, width) of the frames.
    """

    name: str
    title: str = ""
    terms: str = ""
    source: Literal["town"]
    size: tuple[PositiveInt, PositiveInt] = (256, 512)

    @property
    def classes(self) -> ClassTable:
        """Names and colours of the classes."""
        return TOWN_CLASSES

    @property
    def splits(self) -> dict[str, int]:
        """Split name -> number of frames."""
        return SPLITS


DatasetSpec = FolderSpec | TownSpec


def load_dataset(dataset: str | Path) -> DatasetSpec:
    """Reads a dataset's declaration.

    Args:
      dataset: the name of a shipped one (``camvid``), or the path of a YAML file.

    Returns:
      The declaration.

    Raises:
      ConfigError: an unknown name, or a file that is no valid declaration.
    """
    path = Path(dataset)
    if path.suffix not in (".yaml", ".yml"):
        path = _shipped_declaration(str(dataset))
    values = read_yaml(path)
    is_town = isinstance(values, dict) and values.get("source") == "town"
    if is_town:
        return validate(TownSpec, values, path)
    spec = validate(FolderSpec, values, path)
    if spec.unverified:
        _LOG.warning(
            "the declaration of '%s' was never tried on the real files: "
            "see what scripts/check_dataset.py says first",
            spec.name,
        )
    return spec


def dataset_names() -> list[str]:
    """Returns the names of the shipped declarations."""
    folder = Path(resources.shipped_file("config", "datasets"))
    return sorted(path.stem for path in folder.glob("*.yaml"))


def _shipped_declaration(name: str) -> Path:
    if name not in dataset_names():
        raise ConfigError(
            unknown_name("dataset", name, dataset_names()) + "; or give the path of a .yaml file"
        )
    return Path(resources.shipped_file("config", "datasets", f"{name}.yaml"))
