"""The models of the node: how they are loaded, and which ones a service call may ask for."""

import logging
import os
import time
from typing import Any, List, NamedTuple, Optional

import numpy as np

from semseg.command_line import parse_size
from semseg.errors import ConfigError, GraphError
from semseg.node.options import ModelOptions
from semseg.profiles import model_path, shipped_profiles
from semseg.resources import shipped_file
from semseg.runtime import Segmenter

_log = logging.getLogger(__name__)

_USUAL_SIZE = (480, 640)
_REPETITIONS = 3


class Model(NamedTuple):
    """A segmenter, and what the node must know of it.

    Attributes:
      name: file name of its graph.
      segmenter: has ``.classes`` (ClassTable), ``.digest``, ``.engine``, ``.precision``,
        ``.refusals``, ``.head``,
        ``.segment(image, second=None, probabilities=False, confidence=True)``,
        ``.segment_batch(images, confidence=True)``, ``.close()`` and, for outputs of the
        network's size, ``.fit(image_size)``; used by one thread at a time.
      second: name of its second input, ``right`` or ``disparity``; None without one.
      batch_size: how many cameras' images are segmented at once at most.
    """

    name: str
    segmenter: Any
    second: Optional[str] = None
    batch_size: int = 1


class ModelLoader:
    """Loads models as the node's parameters say.

    Args:
      options: engine, size and the rest, for every model.
      num_cameras: how many cameras there are: their images may be segmented at once.

    Raises:
      ConfigError: an option cannot be used.
    """

    def __init__(self, options: ModelOptions, num_cameras: int = 1):
        self._options = options
        self._num_cameras = num_cameras
        self._profiles = dict(shipped_profiles(), **options.models)
        self._input_size = parse_size(options.input_size) if options.input_size else None
        folders = options.model_folders or [shipped_file("models")]
        self._folders = [os.path.realpath(os.path.expanduser(str(name))) for name in folders]

    def load(self, model: str) -> Model:
        """Loads a model that the launch file names.

        Args:
          model: a profile, or the path of a graph.

        Raises:
          ConfigError: there is no such profile.
          GraphError: the graph cannot be used.
          EngineError: the engine cannot run it.
        """
        return self._load(model_path(model, self._profiles))

    def load_requested(self, model: str) -> Model:
        """Loads a model that anyone on the network may have named.

        Args:
          model: a profile, or the path of a graph in one of the model folders.

        Raises:
          ConfigError: there is no such profile, or the path leads out of the folders.
          GraphError: the graph cannot be used.
          EngineError: the engine cannot run it.
        """
        path = model_path(model, self._profiles)
        if model not in self._profiles and not self._is_inside(path):
            raise ConfigError(
                "%s is in none of ~model_folders: %s" % (path, ", ".join(self._folders))
            )
        return self._load(path)

    def _is_inside(self, path):
        real = os.path.realpath(path)  # A link must not lead out.
        return any(os.path.commonpath([real, folder]) == folder for folder in self._folders)

    def _load(self, path):
        options = self._options
        segmenter = Segmenter.load(
            path,
            engine=options.engine,
            input_size=self._input_size,
            precision=options.precision,
            threads=options.threads or None,
            head=options.head or None,
            gpu_memory_fraction=options.gpu_memory_fraction or None,
        )
        inputs = segmenter.graph.inputs
        name = os.path.basename(path)
        if len(inputs) > 1:
            return Model(name, segmenter, second=inputs[1].name)
        is_open = inputs[0].shape[0] is None
        most = profitable_batch(segmenter, self._num_cameras) if is_open else 1
        return Model(name, segmenter, batch_size=most)


def profitable_batch(segmenter: Any, num_images: int) -> int:
    """Measures whether images of several cameras are better segmented at once.

    One by one, the n-th image waits for those before it: its mean age is that of (n + 1) / 2
    inferences. A batch pays if it takes less, since all of its images wait for it.

    Args:
      segmenter: its graph's batch size is open.
      num_images: number of cameras.

    Returns:
      ``num_images`` if it pays, else 1.
    """
    if num_images < 2:
        return 1
    image = np.zeros((segmenter.input_size or _USUAL_SIZE) + (3,), np.uint8)
    for count in range(1, num_images + 1):  # An engine may prepare itself for each size.
        segmenter.segment_batch([image] * count, confidence=False)
    times_s = [
        [_duration_s(segmenter, [image] * count) for count in (1, num_images)]
        for _ in range(_REPETITIONS)
    ]
    single_s, batch_s = np.min(times_s, axis=0)  # What else the machine does only adds.
    pays = batch_s < single_s * (num_images + 1) / 2
    _log.info(
        "%d images at once take %.2f times as long as one: cameras are segmented %s",
        num_images,
        batch_s / single_s,
        "together" if pays else "one by one",
    )
    return num_images if pays else 1


def check_same_classes(full: Model, reduced: Model) -> None:
    """Checks that two models may take turns.

    Raises:
      GraphError: their class tables or their second inputs differ.
    """
    for what, is_equal in (
        ("classes", full.segmenter.classes == reduced.segmenter.classes),
        ("inputs", full.second == reduced.second),
    ):
        if not is_equal:
            raise GraphError(
                "%s and %s have different %s and cannot take turns (~target_rate)"
                % (full.name, reduced.name, what)
            )


def _duration_s(segmenter: Any, images: List[np.ndarray]) -> float:
    started = time.monotonic()
    segmenter.segment_batch(images, confidence=False)
    return time.monotonic() - started
