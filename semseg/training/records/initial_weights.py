"""Weights that a new run starts from: those of another run, or of a Keras model, by layer name."""

import hashlib
import io
import logging
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import h5py
import keras
import numpy as np

from semseg.errors import CheckpointError, ConfigError
from semseg.training.records.checkpoints import (
    Checkpoint,
    initialize,
    load_checkpoint,
    model_variables,
)

logger = logging.getLogger(__name__)

KERAS_WEIGHTS = "model.weights.h5"
"""Name of the weights inside a ``.keras`` file."""


def start_from(path: Path, model: keras.Model) -> str:
    """Copies the weights of a file whose layer, variable and shape a model has, and logs the rest.

    Args:
      path: a checkpoint of another run (``.npz``), or weights that Keras saved: ``.keras``,
        ``.weights.h5``, or the ``.h5`` files of Keras applications.
      model: its other weights stay as they are, such as those of a head with other classes.

    Returns:
      The file's name and digest, for the model card.

    Raises:
      ConfigError: no such file, or one of another kind.
      CheckpointError: the file is damaged, or none of its weights fits.
    """
    if path.suffix not in _READERS:
        raise ConfigError(f"{path}: weights are read from {', '.join(_READERS)} files")
    if not path.is_file():
        raise ConfigError(f"no file {path} to take weights from")
    weights = Checkpoint(path, _READERS[path.suffix](path, model), {})
    variables = model_variables(model)
    skipped = initialize(weights, variables)
    for line in skipped:
        logger.warning("%s: skipped %s", path, line)
    logger.info("%s: %d of %d variables start from it",
                path, len(variables) - len(skipped), len(variables))  # fmt: skip
    return f"{path.name} (sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:12]})"


def _read_checkpoint(path: Path, model: keras.Model) -> Mapping[str, np.ndarray]:
    return load_checkpoint(path).variables


def _read_keras(path: Path, model: keras.Model) -> Mapping[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            weights = io.BytesIO(archive.read(KERAS_WEIGHTS))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path} is damaged: {error}")
    return _read_h5(path, model, weights)


def _read_h5(
    path: Path, model: keras.Model, content: io.BytesIO | None = None
) -> Mapping[str, np.ndarray]:
    """Reads a file, or the ``content`` that lies in it."""
    try:
        with h5py.File(content or path) as root:
            return dict(_named(root, model))
    except OSError as error:
        raise CheckpointError(f"{path} is damaged: {error}")


def _named(group: h5py.Group, model: keras.Model) -> Iterator[tuple[str, np.ndarray]]:
    """Yields ``layer/variable`` and value of all arrays below a group.

    Keras 3 numbers a layer's variables in a group that has the layer's name as an attribute;
    before, a layer's group had its name, and held the variables by theirs.
    """
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            yield from _named(item, model)
        elif "name" in group.attrs:
            layer = group.attrs["name"]
            names = [v.name for known in model.layers if known.name == layer for v in known.weights]
            if int(name) < len(names):
                yield f"{layer}/{names[int(name)]}", item[()]
        else:
            yield f"{group.name.rsplit('/', 1)[-1]}/{name.removesuffix(':0')}", item[()]


_READERS: dict[str, Callable[[Path, keras.Model], Mapping[str, np.ndarray]]] = {
    ".npz": _read_checkpoint,
    ".keras": _read_keras,
    ".h5": _read_h5,
}
