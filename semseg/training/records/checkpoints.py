"""Checkpoints: one ``.npz`` file with all variables and the state of the run, replaced whole."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from semseg.errors import CheckpointError, OutputError
from semseg.files import write_file
from semseg.networks.recomputation import flat_layers

_STATE = "state"


class Checkpoint(NamedTuple):
    """What a checkpoint file holds.

    Attributes:
      path: the file.
      variables: values by name.
      state: JSON-ready facts of the run, such as its history.
    """

    path: Path
    variables: Mapping[str, np.ndarray]
    state: dict[str, Any]

    def fact(self, name: str) -> Any:
        """Returns one fact of ``state``; raises ``CheckpointError`` if it is not there."""
        if name not in self.state:
            found = ", ".join(self.state) or "nothing"
            raise CheckpointError(
                f"checkpoint {self.path} has no '{name}', found {found}; another version wrote "
                "it, or for another purpose"
            )
        return self.state[name]


def model_variables(model: keras.Model) -> dict[str, Any]:
    """Returns all variables of a model by ``layer/variable``.

    They include the states of dropout's random generators, which ``save_weights`` leaves out.
    Keras' own variable paths number those generators by process, so that they say nothing in
    the next one.
    """
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in flat_layers(model)
        for variable in layer.variables
    }


def save_checkpoint(path: Path, variables: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Writes a checkpoint beside the former one and then replaces it.

    The former file stays valid until the new one is on the disk, whatever happens between.

    Args:
      path: the ``.npz`` file.
      variables: Keras variables or arrays by name.
      state: JSON-ready facts.

    Raises:
      CheckpointError: the folder cannot be written or the disk is full.
    """
    arrays = {name: np.asarray(variable) for name, variable in variables.items()}
    arrays[_STATE] = np.array(json.dumps(state))
    # In memory first: an archive that meets a full disk complains once more when it is dropped.
    content = io.BytesIO()
    np.savez(content, **arrays)
    try:
        write_file(path, content.getbuffer(), durable=True)
    except OutputError as error:
        kept = "the former one is kept" if path.exists() else "there is no former one"
        raise CheckpointError(f"checkpoint {error}; {kept}")


def load_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
      CheckpointError: there is none, or the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        state = dict(json.loads(arrays.pop(_STATE).item()))
    except FileNotFoundError:
        raise CheckpointError(f"no checkpoint {path}")
    except KeyError:
        raise CheckpointError(f"{path} is no checkpoint of a run: it has no '{_STATE}'")
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"checkpoint {path} is damaged: {error}")
    return Checkpoint(path, arrays, state)


def restore(checkpoint: Checkpoint, variables: Mapping[str, Any]) -> None:
    """Gives variables their values of a checkpoint.

    Raises:
      CheckpointError: a variable is missing or has another shape: it is of another network.
    """
    for name, variable in variables.items():
        value = checkpoint.variables.get(name)
        if value is None or value.shape != tuple(variable.shape):
            found = "nothing" if value is None else f"shape {value.shape}"
            raise CheckpointError(
                f"checkpoint {checkpoint.path} is of another network: it has {found} for "
                f"{name}, expected shape {tuple(variable.shape)}"
            )
    for name, variable in variables.items():
        variable.assign(checkpoint.variables[name])


def initialize(checkpoint: Checkpoint, variables: Mapping[str, Any]) -> list[str]:
    """Copies the values whose name and shape fit; the other variables stay as they are.

    Returns:
      One line per variable that was not copied, with the reason.

    Raises:
      CheckpointError: none fits.
    """
    skipped = []
    for name, variable in variables.items():
        value = checkpoint.variables.get(name)
        if value is not None and value.shape == tuple(variable.shape):
            variable.assign(value)
        else:
            found = "none" if value is None else f"shape {value.shape}"
            skipped.append(f"{name}: shape {tuple(variable.shape)} here, {found} in the file")
    if len(skipped) == len(variables):
        raise CheckpointError(f"{checkpoint.path} has no weight that fits this network")
    return skipped
