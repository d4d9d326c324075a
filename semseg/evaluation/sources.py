"""Frames to segment, from image files, a video, a dataset, a bag or the town."""

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from semseg.bags import BagMessage, BagReader
from semseg.data import Sample
from semseg.data.labels import read_image
from semseg.errors import ConfigError, ImageError, unknown_name
from semseg.evaluation.frames import Frame, Frames, Unreadable
from semseg.evaluation.pairing import pair_by_stamp
from semseg.evaluation.video import VideoReader, is_video
from semseg.runtime.geometry import Size

IMAGE_SUFFIXES = frozenset(
    (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)


def frames_from_images(images: str) -> Frames:
    """Reads image files or a video.

    Args:
      images: a folder, an image file, a video file or a glob (``**`` goes into subfolders).

    Returns:
      The frames in the order of their names. Each is named by its path from the files' common
      folder on, without suffix unless two files differ in nothing else.

    Raises:
      ImageError: nothing was found, or the video cannot be decoded.
    """
    if is_video(images):
        return _frames_from_video(Path(images))
    paths = _image_paths(images)
    names = _unique_names(paths)

    def produce() -> Iterator[Frame | Unreadable]:
        for name, path in zip(names, paths, strict=True):
            yield _frame_or_reason(name, None, partial(_read_unlabelled, path))

    return Frames(len(paths), produce)


def frames_from_dataset(samples: Sequence[Sample]) -> Frames:
    """Reads the samples of a dataset split, with their true labels."""

    def produce() -> Iterator[Frame | Unreadable]:
        for sample in samples:
            yield _frame_or_reason(sample.name, None, partial(_read_sample, sample))

    return Frames(len(samples), produce)


def frames_from_bag(path: str | Path, image_topic: str, label_topic: str | None = None) -> Frames:
    """Reads a bag's images, and their labels by equal header stamp.

    Args:
      path: the bag.
      image_topic: topic of raw or compressed images.
      label_topic: topic of the true labels; images that have no labels of their stamp are then
        left out. None reads all images, without labels.

    Returns:
      Frames named by their stamp, such as ``1500000000.100000000``. Iterating raises
      ``BagError`` where the bag is damaged, or in the end if no two stamps were equal.

    Raises:
      BagError: the bag cannot be read, or a topic is missing or carries no images.
    """
    topics = [image_topic] if label_topic is None else [image_topic, label_topic]
    with BagReader(path) as reader:
        count = min(reader.count(topic) for topic in topics)

    def produce() -> Iterator[Frame | Unreadable]:
        with BagReader(path) as reader:
            messages = reader.messages(*topics)
            if label_topic is None:
                for image in messages:
                    yield _bag_frame(image, None)
            else:
                for image, labels in pair_by_stamp(messages, image_topic, label_topic):
                    yield _bag_frame(image, labels)

    return Frames(count, produce)


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


def _frames_from_video(path: Path) -> Frames:
    video = VideoReader(path)

    def produce() -> Iterator[Frame | Unreadable]:
        for index, image in enumerate(video):
            stamp_ns = round(index / video.rate_hz * 1e9)
            yield Frame(f"{path.stem}_{index:06d}", stamp_ns, image)

    return Frames(video.count, produce, video.rate_hz)


def _image_paths(images: str) -> list[Path]:
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
            f" images with one of the suffixes {' '.join(sorted(IMAGE_SUFFIXES))}"
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


def _read_unlabelled(path: Path) -> tuple[np.ndarray, None]:
    return read_image(path), None


def _read_sample(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    if sample.image_path is None:
        return sample.read()  # One rendering gives both.
    # Not sample.read(), which wants one size: the truth may be larger than the image.
    return sample.read_image(), sample.read_labels()


def _bag_frame(image: BagMessage, labels: BagMessage | None) -> Frame | Unreadable:
    seconds, nanoseconds = divmod(image.stamp_ns, 10**9)
    return _frame_or_reason(
        f"{seconds}.{nanoseconds:09d}",
        image.stamp_ns,
        lambda: (image.image(), None if labels is None else labels.labels()),
    )


def _frame_or_reason(
    name: str,
    stamp_ns: int | None,
    read: Callable[[], tuple[np.ndarray, np.ndarray | None]],
) -> Frame | Unreadable:
    try:
        image, labels = read()
    except ImageError as error:
        return Unreadable(name, str(error))
    return Frame(name, stamp_ns, image, labels)
