"""Frames to segment, from image files, a video, a camera, a dataset or the town."""

import glob
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from semseg.data import Sample
from semseg.data.samples.instances import InstanceReader
from semseg.errors import ConfigError, ImageError, unknown_name
from semseg.evaluation.frames.frames import Frame, Frames, Unreadable, read_frame
from semseg.evaluation.frames.video import VideoReader, is_video
from semseg.files import IMAGE_SUFFIXES
from semseg.runtime.images.geometry import Size
from semseg.runtime.images.image_file import exif_hint, read_image

_NAME = re.compile(r"camera(?::(\d+))?")


def is_camera(text: str) -> bool:
    """Says whether a text names a camera: ``camera``, ``camera:1`` and so on."""
    return _NAME.fullmatch(text) is not None


class Camera:
    """The images of a camera, until it sends no more.

    Args:
      name: ``camera:N`` for ``/dev/videoN``; ``camera`` for the first.

    Raises:
      ImageError: it cannot be opened.
    """

    def __init__(self, name: str) -> None:
        match = _NAME.fullmatch(name)
        if match is None:
            raise ImageError(f"'{name}' is no camera, expected camera, camera:1 and so on")
        number = int(match[1] or 0)
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise ImageError(f"{name}: no camera answers as /dev/video{number}")
        # Otherwise the driver keeps some images, and each that comes is already old.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the camera back."""
        self._capture.release()

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yields the time of each image, nanoseconds, and the image, uint8 (H, W, 3) RGB."""
        while True:
            received, image = self._capture.read()
            if not received:
                return
            yield time.time_ns(), cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def frames_from_images(images: str) -> Frames:
    """Reads image files, a video or a camera.

    Args:
      images: a folder, an image file, a video file or a glob (``**`` goes into subfolders); or
        ``camera``, ``camera:1`` and so on, whose frames never end.

    Returns:
      The frames in the order of their names. Each is named by its path from the files' common
      folder on, without suffix unless two files differ in nothing else.

    Raises:
      ImageError: nothing was found, the video cannot be decoded, or there is no such camera.
    """
    if is_camera(images):
        return _frames_from_camera(images)
    if is_video(images):
        return _frames_from_video(Path(images))
    paths = image_paths(images)
    names = _unique_names(paths)

    def produce() -> Iterator[Frame | Unreadable]:
        for name, path in zip(names, paths, strict=True):
            yield read_frame(name, partial(_read_file, name, path))

    return Frames(len(paths), produce)


def frames_from_dataset(
    samples: Sequence[Sample], instances: InstanceReader | None = None
) -> Frames:
    """Reads the samples of a dataset split, with their true labels and second inputs.

    Args:
      samples: the samples.
      instances: reads their instances too, if given.
    """

    def produce() -> Iterator[Frame | Unreadable]:
        for sample in samples:
            yield read_frame(sample.name, partial(_read_sample, sample, instances))

    return Frames(len(samples), produce)


def frames_from_town(split: str, rate_hz: float, size: Size) -> Frames:
    """Drives through one scene of the synthetic town.

    Args:
      split: the split that the scene is of; the drive has as many frames as that.
      rate_hz: frames per second of the drive.
      size: (height, width) of the frames.

    Returns:
      Frames with labels and intrinsics, stamped from the start of the drive.

    Raises:
      ConfigError: no such split.
    """
    from semseg import town

    if split not in town.SPLITS:
        raise ConfigError(unknown_name("split of 'town'", split, town.SPLITS))
    count = town.SPLITS[split]

    def produce() -> Iterator[Frame | Unreadable]:
        for each in town.drive(split, count, rate_hz=rate_hz, size=size):
            stamp_ns = round(each.stamp * 1e9)
            yield Frame(each.name, stamp_ns, each.image, each.labels, each.intrinsics)

    return Frames(count, produce, rate_hz)


def _frames_from_camera(name: str) -> Frames:
    def produce() -> Iterator[Frame | Unreadable]:
        with Camera(name) as camera:
            for index, (stamp_ns, image) in enumerate(camera):
                yield Frame(f"{name.replace(':', '')}_{index:06d}", stamp_ns, image)
        yield Unreadable(name, "the camera sends nothing any more")

    Camera(name).close()
    return Frames(0, produce)


def _frames_from_video(path: Path) -> Frames:
    video = VideoReader(path)

    def produce() -> Iterator[Frame | Unreadable]:
        decoded = 0
        for index, image in enumerate(video):
            stamp_ns = round(index / video.rate_hz * 1e9)
            yield Frame(f"{path.stem}_{index:06d}", stamp_ns, image)
            decoded += 1
        # Less than a second may be a container's own rounding.
        if decoded + video.rate_hz < video.count:
            reason = f"{path} ends early: {decoded} of its {video.count} frames can be decoded"
            yield Unreadable(f"{path.stem}_{decoded:06d}", reason)

    return Frames(video.count, produce, video.rate_hz)


def image_paths(images: str) -> list[Path]:
    """Returns the image files of a folder, a glob or the file itself, in the order of their names.

    Raises:
      ImageError: nothing was found.
    """
    if os.path.isdir(images):
        found = [path for path in Path(images).iterdir() if path.is_file()]
    elif os.path.isfile(images):
        return [Path(images)]
    else:
        found = [Path(path) for path in glob.glob(images, recursive=True)]
    paths = sorted(path for path in found if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise ImageError(
            f"no images found at '{images}'; expected a folder, a video or a glob in quotes,"
            f" images with one of the suffixes {' '.join(IMAGE_SUFFIXES)}"
        )
    return paths


def _unique_names(paths: Sequence[Path]) -> list[str]:
    folder = os.path.commonpath([path.parent for path in paths])
    relative = [Path(os.path.relpath(path, folder)) for path in paths]
    uses = Counter(path.with_suffix("") for path in relative)
    return [
        (path.with_suffix("") if uses[path.with_suffix("")] == 1 else path).as_posix()
        for path in relative
    ]


def _read_file(name: str, path: Path) -> Frame:
    return Frame(name, None, read_image(path))


def _check_orientation(path: Path, image: np.ndarray, labels: np.ndarray) -> None:
    """Raises ``ImageError`` if labels fit an image only as it is stored, before it is turned."""
    if image.shape[:2] == labels.shape or image.shape[1::-1] != labels.shape:
        return
    hint = exif_hint(path, labels.shape)
    if hint:
        size = "{}x{}".format
        raise ImageError(
            f"{path} is {size(*image.shape[:2])}, its labels are {size(*labels.shape)}{hint}"
        )


def _read_sample(sample: Sample, instances: InstanceReader | None) -> Frame:
    if sample.image_path is None:
        image, labels = sample.read()  # One rendering gives both.
    else:
        # Not sample.read(), which wants one size: the truth may be larger than the image.
        image, labels = sample.read_image(), sample.read_labels()
        _check_orientation(sample.image_path, image, labels)
    objects = instances.read(sample) if instances else None
    return Frame(sample.name, None, image, labels, instances=objects, second=sample.read_second())
