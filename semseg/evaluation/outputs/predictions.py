"""Saves predictions as people, programs and benchmarks want them: pictures, videos, raw ids."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np

from semseg.classes import ClassTable
from semseg.data.declarations.class_map import ClassMap
from semseg.data.declarations.specs import DatasetSpec, FolderSpec
from semseg.errors import ConfigError, unknown_name
from semseg.evaluation.frames.frames import Frame
from semseg.evaluation.frames.video import VideoWriter
from semseg.files import FAST, write_png
from semseg.runtime.images import render
from semseg.runtime.images.geometry import Size, resize_image, resize_labels

LABELS, COLORS, OVERLAY = DRAWN_KINDS = ("labels", "colors", "overlay")
RAW_IDS, SUBMISSION = "raw_ids", "submission"
KINDS = (*DRAWN_KINDS, RAW_IDS, SUBMISSION)
"""``raw_ids``: the ids of the dataset's own files. ``submission``: those, in one folder, under the
last part of the image's name, as the Cityscapes server wants them."""


def check_kinds(kinds: Sequence[str], known: Sequence[str]) -> None:
    """Raises ``ConfigError`` if a kind of prediction is not among the known ones."""
    for kind in kinds:
        if kind not in known:
            raise ConfigError(unknown_name("kind of prediction", kind, known))


def draw(kind: str, image: np.ndarray, labels: np.ndarray, classes: ClassTable) -> np.ndarray:
    """Draws one of ``DRAWN_KINDS``: uint8 (H, W) labels, or uint8 (H, W, 3) RGB."""
    if kind == COLORS:
        return render.colorize(labels, classes)
    if kind == OVERLAY:
        return render.overlay(image, labels, classes)
    return labels


class PredictionWriter:
    """Saves predictions as ``FOLDER/KIND/NAME.png``, or a video's as ``FOLDER/KIND.mp4``.

    Labels are always PNG files, one per frame: a video would change them.

    Args:
      folder: where to.
      classes: the classes of the labels.
      kinds: some of ``labels`` (8-bit ids, 255 is void), ``colors``, ``overlay``.
      rate_hz: frames per second of the videos; None writes image files.

    Raises:
      ConfigError: a kind is unknown.
    """

    def __init__(
        self,
        folder: Path,
        classes: ClassTable,
        kinds: Sequence[str] = DRAWN_KINDS,
        rate_hz: float | None = None,
    ) -> None:
        check_kinds(kinds, DRAWN_KINDS)
        self._folder = folder
        self._classes = classes
        self._kinds = kinds
        self._videos = {
            kind: VideoWriter(folder / f"{kind}.mp4", rate_hz)
            for kind in kinds
            if rate_hz is not None and kind != LABELS
        }
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for video in self._videos.values():
            self._stack.enter_context(video)
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def save(self, frame: Frame, labels: np.ndarray) -> None:
        """Saves the labels, uint8 (H, W), of a frame."""
        for kind in self._kinds:
            picture = draw(kind, frame.image, labels, self._classes)
            if kind in self._videos:
                self._videos[kind].write(picture)
            else:
                write_png(self._folder / kind / f"{frame.name}.png", picture, FAST)


class PredictionSaver:
    """Saves predictions as ``FOLDER/KIND/NAME.png``.

    Args:
      folder: where to.
      classes: the segmenter's classes.
      kinds: some of ``KINDS``.
      raw_ids: raw id of each of the segmenter's labels, see ``raw_id_table``.
      size_of: (height, width) of an image -> that of what is saved; None saves all at the
        image's size.

    Raises:
      ConfigError: a kind is unknown.
    """

    def __init__(
        self,
        folder: Path,
        classes: ClassTable,
        kinds: Sequence[str],
        raw_ids: np.ndarray | None = None,
        size_of: Callable[[Size], Size] | None = None,
    ) -> None:
        check_kinds(kinds, KINDS)
        self._folder = folder
        self._classes = classes
        self._kinds = kinds
        self._raw_ids = raw_ids
        self._size_of = size_of

    def save(self, frame: Frame, labels: np.ndarray) -> None:
        """Saves the labels, uint8 (H, W), of a frame."""
        image = frame.image
        if self._size_of is not None:
            size = self._size_of((image.shape[0], image.shape[1]))
            image, labels = resize_image(image, size, "area"), resize_labels(labels, size)
        for kind in self._kinds:
            name = frame.name.rsplit("/", 1)[-1] if kind == SUBMISSION else frame.name
            picture = self._picture(kind, image, labels)
            write_png(self._folder / kind / f"{name}.png", picture, FAST)

    def _picture(self, kind: str, image: np.ndarray, labels: np.ndarray) -> np.ndarray:
        if kind in DRAWN_KINDS:
            return draw(kind, image, labels, self._classes)
        assert self._raw_ids is not None  # Asked for with these kinds.
        return self._raw_ids[labels]


def raw_id_table(spec: DatasetSpec, class_map: ClassMap) -> np.ndarray:
    """Returns the raw id of each label of a segmenter; of several that mean a class, the first.

    Args:
      spec: the dataset.
      class_map: from the segmenter's labels to the dataset's.

    Returns:
      uint8 or uint16 (256,), or uint8 (256, 3) RGB for a dataset whose raw ids are colours; what
      is no class gets the first ignored id, 0 if there is none.

    Raises:
      ConfigError: the map leads to other classes, or the ids are names.
    """
    if not isinstance(spec, FolderSpec) or class_map.classes != spec.classes:
        raise ConfigError(f"raw ids are those of the files of a dataset; '{spec.name}' has none")
    if spec.color_table is not None:
        raise ConfigError(f"the raw ids of '{spec.name}' differ from drive to drive")
    of_label = np.full(256, spec.ignored[0] if spec.ignored else 0, np.int64)
    for label in range(spec.classes.num_classes):
        of_label[label] = spec.raw_ids(label)[0]
    table = spec.divisor * of_label[class_map.table]  # The table's own IGNORE is void here.
    if spec.decode_rule == "rgb":
        return np.stack([table >> 16, table >> 8 & 255, table & 255], axis=-1).astype(np.uint8)
    return table.astype(np.uint8 if table.max() < 256 else np.uint16)
