"""Dataset declarations: one YAML file says where a dataset's files are and what they mean.

Its sections on second inputs and on scores that only some datasets have come first.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from semseg.classes import ClassTable
from semseg.data.declarations import patterns
from semseg.data.declarations.strict_yaml import StrictModel
from semseg.errors import ConfigError, unknown_name
from semseg.town import SPLITS, TOWN_CLASSES

SecondKind = Literal["right", "disparity"]

UNITS_PER_PIXEL = 256
"""Values of a disparity file for each pixel, where a declaration says nothing else."""

Positive = Annotated[float, Field(gt=0)]
Replacements = Annotated[dict[str, str], Field(min_length=1)]


class RightConfig(StrictModel):
    """Where right images are.

    Attributes:
      replace: text in an image's path -> text in the path of its right image. An image whose path
        lacks one of the texts has no right image and is left out, such as those of the right
        camera where a split has the images of both.
      replace_labels: the same for the label file's path, if right images have labels. Without
        these a sample cannot be mirrored, since that makes the right image the left one.
    """

    replace: Replacements
    replace_labels: Replacements | None = None


class DepthConfig(StrictModel):
    """How files of depth become disparity: focal length * baseline / (unit * value).

    Attributes:
      unit_m: metres for each unit of the file's values.
      focal_length_px: focal length of the left camera, pixels of the file.
      baseline_m: distance of the cameras, metres.
    """

    unit_m: Positive
    focal_length_px: Positive
    baseline_m: Positive


class DisparityConfig(StrictModel):
    """Where disparities are and how 16-bit files hold them; a value of 0 is unknown in any case.

    Attributes:
      replace: text in an image's path -> text in the path of its file, see ``RightConfig``.
      scale: pixels for each unit of the file's values.
      offset: pixels that are added.
      depth: instead of both, what the file's values are if they are depth.
    """

    replace: Replacements
    scale: Positive = 1 / UNITS_PER_PIXEL
    offset: float = 0.0
    depth: DepthConfig | None = None


class SecondConfig(StrictModel):
    """Second inputs of a dataset.

    Attributes:
      right: its right images, if it has any.
      disparity: its disparities, if it has any.
    """

    right: RightConfig | None = None
    disparity: DisparityConfig | None = None


class InstanceConfig(StrictModel):
    """Where the instances of classes are, for the instance-weighted IoU of Cityscapes.

    Attributes:
      replace: text in a label file's path -> text in the path of its 16-bit instance file.
      divisor: a file's value is ``divisor * raw id + number`` on an instance; below it is none.
      mean_sizes: mean size of an instance of each class that has any, pixels.
    """

    replace: Replacements
    divisor: Annotated[int, Field(ge=2)]
    mean_sizes: Annotated[dict[str, Positive], Field(min_length=1)]


class ScoreConfig(StrictModel):
    """Scores beside the IoU of the classes.

    Attributes:
      categories: category -> its classes; a mix-up within a category is none for its IoU.
      instances: the instances, if there are files of them.
      road_class: the class that is scored as the KITTI road benchmark does.
    """

    categories: dict[str, tuple[str, ...]] = {}
    instances: InstanceConfig | None = None
    road_class: str | None = None

    def check(self, classes: tuple[str, ...]) -> None:
        """Raises ``ValueError`` if the names are not those of a dataset's classes."""
        sizes = self.instances.mean_sizes if self.instances else {}
        named = [name for members in self.categories.values() for name in members]
        for name in (*named, *sizes, *([self.road_class] if self.road_class else [])):
            if name not in classes:
                raise ValueError(unknown_name("class in scores", name, classes))
        if self.categories and sorted(named) != sorted(classes):
            raise ValueError("each class belongs to one category, or there are no categories")


RAW_LIMITS = {
    "gray8": 1 << 8,
    "top8": 1 << 8,
    "palette": 1 << 8,
    "red": 1 << 16,
    "uint16": 1 << 16,
    "rgb": 1 << 24,
}
"""Decode rule -> number of raw ids that it can give."""


def pack_color(color: Any) -> Any:
    """Returns the raw id of an RGB colour, ``red << 16 | green << 8 | blue``.

    Numbers and names are returned as they are, so that YAML may hold these as well as colours.
    """
    if type(color) is int and color < 0:
        raise ValueError(f"a raw id is 0 or greater, found {color}")
    if not isinstance(color, tuple):
        return color
    if len(color) != 3 or not all(type(value) is int and 0 <= value <= 255 for value in color):
        raise ValueError(f"a colour is three integers 0..255, found {color}")
    red, green, blue = color
    return red << 16 | green << 8 | blue


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str | dict) else value


Share = Annotated[float, Field(ge=0, le=1)]
RawId = Annotated[int | str, BeforeValidator(pack_color)]


class ClassEntry(StrictModel):
    """One class of a dataset.

    Attributes:
      name: the class's name.
      color: RGB, 0..255.
      ids: the raw ids that mean this class: numbers, colours for the rule ``rgb``, or names of a
        ``color_table``. Without it: the class's position in the list, its colour, or its name.
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
      part: which share of the files is taken, in their order, from and to; (0, 0.9) leaves out
        the last tenth. Blocks, not a random choice: neighbouring frames are nearly the same.
    """

    images: str | None = None
    labels: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    list_file: str | None = None
    part: tuple[Share, Share] = (0, 1)

    @model_validator(mode="after")
    def _be_complete(self) -> "PairRule":
        by_pattern = self.images is not None and bool(self.labels)
        if by_pattern == bool(self.list_file) or (self.list_file and (self.images or self.labels)):
            raise ValueError("a split has either images and labels, or a list_file")
        if self.part[0] >= self.part[1]:
            raise ValueError(f"a part is from and to, 0..1, found {list(self.part)}")
        for labels in self.labels:
            expected = patterns.count_wildcards(self.images or "")
            if patterns.count_wildcards(labels) != expected:
                raise ValueError(f"'{labels}' must have as many wildcards as '{self.images}'")
        return self


class _StoredSpec(StrictModel):
    """What the declarations of datasets that are in files have in common.

    Attributes:
      name: short name, as in ``--dataset``.
      title: what it is, in a line.
      terms: licence or terms of use.
      entries: the classes, in label order; ``classes`` in YAML.
      root: the dataset's folder, where no other is given.
    """

    name: str
    title: str = ""
    terms: str = ""
    entries: Annotated[tuple[ClassEntry, ...], Field(alias="classes")]
    root: str | None = None

    @property
    def classes(self) -> ClassTable:
        """Names and colours of the classes."""
        return ClassTable.create(
            [entry.name for entry in self.entries], [entry.color for entry in self.entries]
        )


class FolderSpec(_StoredSpec):
    """A dataset of image and label files.

    Attributes:
      source: where samples come from.
      decode: how a label file's pixels become raw ids: ``gray8``, ``palette`` (the index),
        ``red`` (the first channel), ``uint16``, ``top8`` (8 bits, or the upper 8 of 16), ``rgb``
        (colours); ``uint16 // 256`` divides.
      color_table: for ``rgb`` alone: text file that says what the colours of a sequence are, with
        ``NAME red green blue`` on each line; see ``color_tables.color_table_path``.
      ignored: raw ids, colours or names that mean "no class".
      ignored_below: class -> share of the image's height, 0..1, from which on down it is no class:
        where labels show the own bonnet as a car.
      max_unknown_share: share of a label file's pixels, 0..1, whose raw ids may be unknown.
      splits: split name -> the rules that find its files.
      excluded: patterns of image files that are in no split, such as unusable ones.
      second: right images and disparities, if there are any.
      scores: categories, instances and the road, if there are any.
      unverified: true if the declaration was never tried on the real files.
      guessed: true if no declaration was written: what a check cannot rule out is then an error.
      may_be_absent: classes that a split of a guessed declaration may lack.
      notes: what was left out or guessed, one line each.
    """

    source: Literal["files"] = "files"
    decode: str = "gray8"
    color_table: str | None = None
    ignored: tuple[RawId, ...] = ()
    ignored_below: dict[str, Share] = {}
    max_unknown_share: Share = 0.01
    splits: dict[str, Annotated[tuple[PairRule, ...], BeforeValidator(_as_tuple)]]
    excluded: tuple[str, ...] = ()
    second: SecondConfig = SecondConfig()
    scores: ScoreConfig = ScoreConfig()
    unverified: bool = False
    guessed: bool = False
    may_be_absent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def decode_rule(self) -> str:
        """The decode rule without its divisor."""
        return self.decode.split("//")[0].strip()

    @property
    def divisor(self) -> int:
        """What the file's values are divided by, rounding down, to give raw ids."""
        return int(self.decode.split("//")[1]) if "//" in self.decode else 1

    def raw_ids(self, label: int) -> tuple[int | str, ...]:
        """Returns the raw ids that mean a label; names if there is a ``color_table``."""
        entry = self.entries[label]
        if entry.ids is not None:
            return entry.ids
        if self.color_table is not None:
            return (entry.name,)
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
        if self.color_table is not None and rule != "rgb":
            raise ValueError(f"a color_table is for the decode rule rgb, found '{self.decode}'")
        for name in self.ignored_below:
            if name not in classes.names:
                raise ValueError(unknown_name("class in ignored_below", name, classes.names))
        self.scores.check(classes.names)
        self._check_raw_ids(RAW_LIMITS[rule], classes)
        return self

    def _check_raw_ids(self, limit: int, classes: ClassTable) -> None:
        owners: dict[int | str, str] = dict.fromkeys(self.ignored, "ignored")
        for label, name in enumerate(classes.names):
            for raw_id in self.raw_ids(label):
                if raw_id in owners:
                    raise ValueError(f"raw id {raw_id} is both {owners[raw_id]} and {name}")
                owners[raw_id] = name
        for raw_id, owner in owners.items():
            if isinstance(raw_id, str) != (self.color_table is not None):
                raise ValueError(f"raw id {raw_id} of {owner}: names go with a color_table")
            if isinstance(raw_id, int) and raw_id >= limit:
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


class ShardSpec(_StoredSpec):
    """A prepared dataset in TFRecord files, see ``shards``; its labels are stored as labels.

    Attributes:
      source: where samples come from.
      splits: split name -> pattern of its TFRecord files, relative to the root.
      second: the second input that all records have; None if they have none.
    """

    source: Literal["shards"]
    splits: dict[str, str]
    second: SecondKind | None = None


DatasetSpec = FolderSpec | TownSpec | ShardSpec
