"""Weights that a new run starts from: of another run, a Keras model or a package, by layer name."""

import hashlib
import io
import logging
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

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
from semseg.training.records.pretrained import PACKAGES, origin, package_file, read_encoder

logger = logging.getLogger(__name__)

KERAS_WEIGHTS = "model.weights.h5"
"""Name of the weights inside a ``.keras`` file."""
_MOBILENET_V2 = re.compile(
    r"(bn_Conv1)|(Conv1)|(?:expanded_conv|block_(\d+))_(expand|depthwise|project)(_BN)?"
)


def start_from(source: str | Path, model: keras.Model) -> str:
    """Copies weights whose layer, variable and shape a model has, and logs the rest.

    Args:
      source: an encoder of ``pretrained.PACKAGES``, a checkpoint of another run (``.npz``), or
        weights that Keras saved: ``.keras``, ``.weights.h5``, or the ``.h5`` files of Keras
        applications, also those of Keras 2.
      model: its other weights stay as they are, such as those of a head with other classes.

    Returns:
      What they are and their digest, for the model card.

    Raises:
      ConfigError: no such file or package, or a file of another kind.
      CheckpointError: the file is damaged, or none of its weights fits.
    """
    if str(source) in PACKAGES:
        path = package_file(str(source))
        _copy(Checkpoint(path, read_encoder(path), {}), model)
        return origin(str(source))
    path = Path(source)
    if path.suffix not in _READERS:
        raise ConfigError(
            f"{path}: weights are read from {', '.join(_READERS)} files, or by name: "
            + ", ".join(PACKAGES)
        )
    if not path.is_file():
        raise ConfigError(f"no file {path} to take weights from")
    weights = _READERS[path.suffix](path, model)
    _copy(weights, model)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    former = _former(weights.state)
    return f"{path.name} (sha256 {digest}{f'; itself from {former}' if former else ''})"


def _copy(weights: Checkpoint, model: keras.Model) -> None:
    variables = model_variables(model)
    skipped = initialize(weights, variables)
    for line in skipped:
        logger.warning("%s: skipped %s", weights.path, line)
    logger.info("%s: %d of %d variables start from it",
                weights.path, len(variables) - len(skipped), len(variables))  # fmt: skip


def _former(state: Mapping[str, Any]) -> str | None:
    """Returns what the run of a checkpoint started from: terms of weights go with them."""
    former = state.get("initial_weights") or state.get("training", {}).get("initial_weights")
    return former if isinstance(former, str) else None


def _read_checkpoint(path: Path, model: keras.Model) -> Checkpoint:
    return load_checkpoint(path)


def _read_keras(path: Path, model: keras.Model) -> Checkpoint:
    try:
        with zipfile.ZipFile(path) as archive:
            weights = io.BytesIO(archive.read(KERAS_WEIGHTS))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path} is damaged: {error}")
    return _read_h5(path, model, weights)


def _read_h5(path: Path, model: keras.Model, content: io.BytesIO | None = None) -> Checkpoint:
    """Reads a file, or the ``content`` that lies in it."""
    try:
        with h5py.File(content or path) as root:
            return Checkpoint(path, dict(_named(root, model)), {})
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
            layer = _ours(group.attrs["name"])
            names = [v.name for known in model.layers if known.name == layer for v in known.weights]
            if int(name) < len(names):
                yield f"{layer}/{names[int(name)]}", item[()]
        else:
            variable = name.removesuffix(":0").replace("depthwise_kernel", "kernel")  # Keras 2
            yield f"{_ours(group.name.rsplit('/', 1)[-1])}/{variable}", item[()]


def _ours(layer: str) -> str:
    """Returns our name of a layer of Keras's MobileNetV2 application; others keep theirs."""
    match = _MOBILENET_V2.fullmatch(layer)
    if match is None:
        return layer
    bn_stem, stem, number, part, bn = match.groups()
    if bn_stem or stem:
        return "encoder_stem_norm" if bn_stem else "encoder_stem"
    return f"encoder_block{number or 0}_{part}" + ("_norm" if bn else "")


_READERS: dict[str, Callable[[Path, keras.Model], Checkpoint]] = {
    ".npz": _read_checkpoint,
    ".keras": _read_keras,
    ".h5": _read_h5,
}
