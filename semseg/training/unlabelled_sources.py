"""The unlabelled images of an experiment: a folder, a video or a bag becomes samples."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semseg.data import Sample
from semseg.data.files.file_cache import file_stamp
from semseg.data.unlabelled import UnlabelledSample, frame_folder, keep_frames
from semseg.errors import ConfigError, DatasetError
from semseg.evaluation.frames.bag_frames import frames_from_bag
from semseg.evaluation.frames.frames import Frames, Unreadable
from semseg.evaluation.frames.sources import frames_from_images, image_paths, is_camera
from semseg.evaluation.frames.video import is_video
from semseg.training.config.experiment import UnlabelledConfig

logger = logging.getLogger(__name__)

_BAG_SUFFIXES = (".bag", ".db3", ".mcap")


class Unlabelled(NamedTuple):
    """One source of unlabelled images.

    Attributes:
      config: its section of the configuration.
      samples: its images, at least one.
      skipped: name -> reason, of what could not be read of a video or a bag.
    """

    config: UnlabelledConfig
    samples: Sequence[Sample]
    skipped: dict[str, str]

    @property
    def record(self) -> dict[str, object]:
        """What the model card says of it."""
        return {
            "name": Path(self.config.path).name,
            "images": len(self.samples),
            "terms": self.config.terms,
        }


def find_unlabelled(config: UnlabelledConfig) -> Unlabelled:
    """Finds unlabelled images. Frames of a video or a bag are kept in the user's caches.

    Args:
      config: what is looked for.

    Raises:
      SemsegError: there is nothing, or none of it can be read.
    """
    if is_camera(config.path):
        raise ConfigError(
            f"data.unlabelled: '{config.path}' has no end; expected a folder, a video or a bag"
        )
    if config.topic is not None:
        return _kept(config, frames_from_bag(config.path, config.topic))
    if Path(config.path).suffix.lower() in _BAG_SUFFIXES:
        raise ConfigError(f"data.unlabelled: {config.path} is a bag; say its image 'topic' too")
    if is_video(config.path):
        return _kept(config, frames_from_images(config.path))
    folder = Path(config.path).name
    paths = image_paths(config.path)[:: config.every]
    samples = [UnlabelledSample(f"{folder}/{path.name}", path) for path in paths]
    return Unlabelled(config, samples, {})


def _kept(config: UnlabelledConfig, frames: Frames) -> Unlabelled:
    path = Path(config.path).resolve()
    folder = frame_folder(f"{path} {file_stamp(path)} {config.topic} {config.every}")
    kept = keep_frames(folder, _thinned(frames, config.every))
    for name, reason in kept.skipped.items():
        logger.warning("%s: %s is skipped: %s", config.path, name, reason)
    if not kept.paths:
        raise DatasetError(f"data.unlabelled: none of the frames of {config.path} can be read")
    samples = [UnlabelledSample(f"{path.name}/{name}", frame) for name, frame in kept.paths.items()]
    skipped = {f"{path.name}/{name}": reason for name, reason in kept.skipped.items()}
    return Unlabelled(config, samples, skipped)


def _thinned(frames: Frames, every: int) -> Iterator[tuple[str, np.ndarray | str]]:
    for index, frame in enumerate(frames):
        if isinstance(frame, Unreadable):
            yield frame.name, frame.reason
        elif index % every == 0:
            yield frame.name, frame.image
