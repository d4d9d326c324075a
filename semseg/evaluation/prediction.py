"""Labels images or a video and saves what a person or a program wants of the labels."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
from tqdm import tqdm

from semseg.classes import IGNORE, ClassTable
from semseg.errors import ConfigError, ImageError, unknown_name
from semseg.evaluation.frames.frames import Frame, Outcome, Unreadable
from semseg.evaluation.frames.video import VideoWriter
from semseg.evaluation.loop import ImageSegmenter
from semseg.evaluation.outputs.output import write_png
from semseg.evaluation.outputs.temporal_filter import median_filter
from semseg.runtime.images import render

LABELS, COLORS, OVERLAY = KINDS = ("labels", "colors", "overlay")

Crop = tuple[int, int]


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
        kinds: Sequence[str] = KINDS,
        rate_hz: float | None = None,
    ) -> None:
        check_kinds(kinds, KINDS)
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
                write_png(self._folder / kind / f"{frame.name}.png", picture)


def check_kinds(kinds: Sequence[str], known: Sequence[str]) -> None:
    """Raises ``ConfigError`` if a kind of prediction is not among the known ones."""
    for kind in kinds:
        if kind not in known:
            raise ConfigError(unknown_name("kind of prediction", kind, known))


def draw(kind: str, image: np.ndarray, labels: np.ndarray, classes: ClassTable) -> np.ndarray:
    """Draws one of ``KINDS``: uint8 (H, W) labels, or uint8 (H, W, 3) RGB."""
    if kind == COLORS:
        return render.colorize(labels, classes)
    if kind == OVERLAY:
        return render.overlay(image, labels, classes)
    return labels


def predict(
    segmenter: ImageSegmenter,
    frames: Iterable[Frame | Unreadable],
    save: Callable[[Frame, np.ndarray], None],
    crop: Crop = (0, 0),
    median: int = 1,
) -> Outcome:
    """Labels frames.

    Args:
      segmenter: what makes the labels.
      frames: from ``semseg.evaluation.frames.sources``.
      save: called with each frame and its labels, uint8 (H, W), of the image's size.
      crop: rows at the top and at the bottom, such as sky and bonnet, that the segmenter is not
        shown; their labels are void.
      median: how many frames decide on a label, see ``median_filter``; 1: each for itself.

    Returns:
      How many were saved, and those that could not be read, cropped or saved.
    """
    skipped: list[Unreadable] = []
    labelled = _labelled(segmenter, frames, crop, skipped)
    done = 0
    for frame, labels in labelled if median == 1 else median_filter(labelled, median):
        try:
            save(frame, labels)
        except ImageError as error:
            skipped.append(Unreadable(frame.name, str(error)))
            continue
        done += 1
    return Outcome(done, skipped)


def _labelled(
    segmenter: ImageSegmenter,
    frames: Iterable[Frame | Unreadable],
    crop: Crop,
    skipped: list[Unreadable],
) -> Iterator[tuple[Frame, np.ndarray]]:
    """Yields frames with their labels; names the others in ``skipped``."""
    total = len(frames) or None if isinstance(frames, Sized) else None
    for frame in tqdm(frames, desc="predict", unit="frame", total=total):
        if isinstance(frame, Unreadable):
            skipped.append(frame)
            continue
        try:
            yield frame, _segment_cropped(segmenter, frame.image, crop)
        except ImageError as error:
            skipped.append(Unreadable(frame.name, str(error)))


def crop(text: str) -> Crop:
    """Reads ``TOP,BOTTOM``, the rows to leave out, as in ``--crop 40,60``.

    Raises:
      argparse.ArgumentTypeError: the text is no such pair.
    """
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise ArgumentTypeError(f"a crop is TOP,BOTTOM in rows, such as 40,60; found '{text}'")
    return int(parts[0]), int(parts[1])


def _segment_cropped(segmenter: ImageSegmenter, image: np.ndarray, crop: Crop) -> np.ndarray:
    top, bottom = crop
    height = image.shape[0]
    if top + bottom >= height:
        raise ImageError(f"a crop of {top},{bottom} rows leaves nothing of {height}")
    labels = np.full(image.shape[:2], IGNORE, np.uint8)
    seen = image[top : height - bottom]
    labels[top : height - bottom] = segmenter.segment(seen, confidence=False).labels
    return labels
