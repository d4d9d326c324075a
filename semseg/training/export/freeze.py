"""Freezes the best checkpoint of a run into one file, the frozen graph of format 1.

The graph may average an image and its mirror image. It is run in a fresh process, and its labels
are compared with the network's.
"""

import hashlib
import logging
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from semseg.classes import ClassTable
from semseg.errors import CheckpointError, ConfigError, GraphError
from semseg.files import partial_path
from semseg.networks.heads import NumClasses, without_auxiliary
from semseg.runtime.graph import frozen_graph as tensors
from semseg.runtime.graph.card import SQUASH, Card, Head, append_card
from semseg.runtime.images.geometry import Fit
from semseg.training.building import build_network
from semseg.training.config.experiment import ExperimentConfig, load_config, parse_roots
from semseg.training.export.conversion import Comparison, convert
from semseg.training.export.graph import Size, Tables, chosen_head, graph_bytes
from semseg.training.inputs import network_inputs, second_input
from semseg.training.records.checkpoints import (
    Checkpoint,
    load_checkpoint,
    model_variables,
    restore,
)
from semseg.training.records.run_folder import RunFolder

logger = logging.getLogger(__name__)


def mirrored(model: keras.Model) -> keras.Model:
    """Averages the logits of an image and those of its mirror image, mirrored back.

    Both go through the network as one batch: the model has the weights of ``model``, and takes
    twice its multiplications.

    Args:
      model: from images [N, H, W, 3], and nothing else, to logits [N, H, W, K], or to a dict of
        them by head.

    Returns:
      A model with the same inputs and outputs.
    """
    image = model.inputs[0]
    both = _BothWays(name="both_ways")(image)
    means = keras.tree.map_structure(
        lambda logits: _MeanOfBoth(name=f"mean_{logits.name.split('/')[0]}")(logits), model(both)
    )
    return keras.Model(image, means, name=model.name)


class _BothWays(keras.layers.Layer):
    """[N, H, W, C] to [2N, H, W, C]: the images, then their mirror images."""

    def call(self, images: Any) -> Any:
        return keras.ops.concatenate([images, keras.ops.flip(images, axis=2)], axis=0)


class _MeanOfBoth(keras.layers.Layer):
    """[2N, H, W, K] to [N, H, W, K]: the mean, the second half mirrored back."""

    def call(self, logits: Any) -> Any:
        straight, turned = keras.ops.split(logits, 2, axis=0)
        return (straight + keras.ops.flip(turned, axis=2)) / 2


MAX_DIFFERENT = 0.001
"""Share of the pixels whose label may differ: ties that float rounding breaks otherwise."""

# A fresh process sees the file alone: no variable, layer or cache of this one can help it.
_LABEL_IMAGES = """
import sys
import numpy as np
from semseg.runtime import Segmenter
graph, inputs, labels = sys.argv[1:]
with np.load(inputs) as arrays:
    pairs = list(zip(*arrays.values()))
segmenter = Segmenter.load(graph, engine="tensorflow", input_size=pairs[0][0].shape[:2])
np.save(labels, [segmenter.segment(*pair).labels for pair in pairs])
"""


def verify(
    graph: Path,
    model: keras.Model,
    images: np.ndarray,
    size: tuple[int, int],
    *,
    seconds: np.ndarray | None = None,
    head: str | None = None,
) -> None:
    """Compares a frozen graph with the model that it was made of.

    Args:
      graph: the graph's file.
      model: gives logits, or logits by head.
      images: real images, uint8 [N, H, W, 3].
      size: (height, width) at which both are run.
      seconds: what a second input sees, uint8 [N, H, W, 3] or float32 [N, H, W, 1].
      head: the graph's default head; None with one.

    Raises:
      GraphError: the graph does not run, or labels more than 0.1 % of the pixels otherwise.
    """
    inputs = _resized(images, size, seconds)
    # One at a time, as the robot does: a batch may be summed in another order.
    expected = [_labels(model, head, *(array[np.newaxis] for array in pair)) for pair in inputs]
    different = float(np.mean(_labels_in_fresh_process(graph, inputs) != np.stack(expected)))
    logger.info("%s: labels differ from the checkpoint's on %.4f %%", graph, 100 * different)
    if different > MAX_DIFFERENT:
        raise GraphError(
            f"the frozen graph labels {100 * different:.2f} % of the pixels otherwise than the "
            f"checkpoint does, at most {100 * MAX_DIFFERENT} % may differ; no file was written"
        )


def _resized(
    images: np.ndarray, size: tuple[int, int], seconds: np.ndarray | None
) -> list[tuple[np.ndarray, ...]]:
    _, height, width, _ = images.shape
    fit = Fit.create((height, width), size, SQUASH)
    resized = [fit.apply(image) for image in images]
    if seconds is None:
        return [(image,) for image in resized]
    is_disparity = seconds.shape[-1] == 1
    others = [fit.apply_disparity(x[..., 0]) if is_disparity else fit.apply(x) for x in seconds]
    return list(zip(resized, others, strict=True))


def _labels(model: keras.Model, head: str | None, *inputs: np.ndarray) -> np.ndarray:
    """Returns the labels uint8 [H, W] of one image, a batch of one."""
    logits = model.predict_on_batch(network_inputs(model, *inputs))
    logits = logits if head is None else logits[head]
    return np.argmax(logits[0], axis=-1).astype(np.uint8)


def _labels_in_fresh_process(graph: Path, inputs: list[tuple[np.ndarray, ...]]) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "inputs.npz"), Path(folder, "labels.npy")
        # A disparity is [H, W, 1] for the network, [H, W] for the segmenter.
        arrays = [
            np.stack([array.squeeze(-1) if array.shape[-1] == 1 else array for array in kind])
            for kind in zip(*inputs)
        ]
        np.savez(source, *arrays)
        command = [sys.executable, "-c", _LABEL_IMAGES, str(graph), str(source), str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            cause = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise GraphError(f"the frozen graph does not run in a fresh process: {cause}")
        return np.load(result)


def freeze(
    workdir: str | Path,
    output: str | Path,
    size: Size | None = None,
    head: str | None = None,
    *,
    columns: bool = False,
    mirror: bool = False,
) -> Card:
    """Writes the frozen graph of a run's best checkpoint, and runs it in a fresh process.

    Args:
      workdir: the run folder.
      output: the ``.pb`` file to write.
      size: (height, width) that the graph's input is fixed to; None leaves it open, and the
        card names the size of the run's configuration.
      head: the head behind the plain tensor names of a network with several; None takes the
        first.
      columns: group columns for TensorFlow 1.15, see ``graph_bytes``; needs ``size``.
      mirror: let the graph see each image's mirror image too, see ``mirrored``.

    Returns:
      The card of the graph.

    Raises:
      ConfigError: there is no run in the folder, no such head, no size to group columns of, or a
        network of two images to mirror.
      CheckpointError: its best checkpoint is missing, damaged or of another network.
      GraphError: the file cannot be written, or its labels differ from the checkpoint's on
        more than 0.1 % of the pixels; then there is no file.
    """
    if columns and size is None:
        raise ConfigError("columns can be grouped at a fixed size only: say --size too")
    folder, output = RunFolder(workdir), Path(output)
    if not folder.config.exists():
        raise ConfigError(f"no run in {workdir}: it has no {folder.config.name}")
    config, checkpoint = load_config(folder.config), load_checkpoint(folder.best)
    tables = class_tables(checkpoint)
    head = chosen_head(tables, head)
    model = _network(config, checkpoint, tables)
    card = _card(config, checkpoint, size, head)
    if mirror:
        model, card = _mirrored(model, card)
    card = card._replace(inputs=_inputs(model, size))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with partial_path(output) as beside:
            partial = Path(beside)
            graph = graph_bytes(model, tables, size, head, columns=columns)
            partial.write_bytes(append_card(graph, card))
            images, seconds = folder.read_images()
            verify(partial, model, images, size or config.data.size, seconds=seconds, head=head)
    except OSError as error:
        raise GraphError(f"cannot freeze {workdir} into {output}: {error}")
    return card


def convert_run(
    workdir: str | Path,
    graph: str | Path,
    forms: Sequence[str],
    roots: Sequence[str] = (),
    *,
    allow_drop: bool = False,
) -> list[Comparison]:
    """Writes other formats of a run's frozen graph, see ``convert``.

    Args:
      workdir: the run folder.
      graph: its frozen graph.
      forms: the formats.
      roots: folders of the run's datasets, ``DIR`` or ``NAME=DIR``.
      allow_drop: as in ``convert``.

    Returns:
      What each format changed.

    Raises:
      SemsegError: as ``convert``.
    """
    config = load_config(RunFolder(workdir).config)
    folders = parse_roots(roots, config.data.names)
    return convert(graph, forms, config, folders, allow_drop=allow_drop)


def model_graph(path: str | Path) -> Path:
    """Returns the frozen graph that ``--model`` means.

    Args:
      path: a ``.pb`` file, or a run folder, whose best checkpoint is then frozen into the
        folder, once for each checkpoint.

    Raises:
      SemsegError: as ``freeze``.
    """
    if not Path(path).is_dir():
        return Path(path)
    folder = RunFolder(path)
    try:
        contents = (folder.config.read_bytes(), folder.best.read_bytes(), _version().encode())
    except OSError as error:
        raise CheckpointError(f"{path} is no run folder with a best checkpoint: {error}")
    graph = folder.path / "frozen" / f"{hashlib.sha256(b''.join(contents)).hexdigest()[:16]}.pb"
    if not graph.exists():
        logger.info("freezing the best checkpoint of %s", path)
        freeze(path, graph)
    return graph


def class_tables(checkpoint: Checkpoint) -> Tables:
    """Returns the classes that a checkpoint's network was trained for, per head if several."""
    heads = checkpoint.state.get("heads", {})
    if not heads:
        return ClassTable.from_list(checkpoint.fact("classes"))
    return {name: ClassTable.from_list(classes) for name, classes in heads.items()}


def _network(config: ExperimentConfig, checkpoint: Checkpoint, tables: Tables) -> keras.Model:
    num_classes: NumClasses
    if isinstance(tables, ClassTable):
        num_classes = tables.num_classes
    else:
        num_classes = {name: table.num_classes for name, table in tables.items()}
    model = without_auxiliary(build_network(config.network, num_classes, config.data.second))
    restore(checkpoint, model_variables(model))
    return model


def _card(
    config: ExperimentConfig, checkpoint: Checkpoint, size: Size | None, head: str | None
) -> Card:
    tables = class_tables(checkpoint)
    heads: tuple[Head, ...] = ()
    if not isinstance(tables, ClassTable):
        heads = tuple(Head(name, table) for name, table in tables.items())
        tables = next(table for name, table in heads if name == head)
    return Card(
        name=config.name,
        network=config.network.model_dump(mode="json"),
        classes=tables,
        size=size or config.data.size,
        heads=heads,
        default_head=head,
        training=checkpoint.fact("training"),
        scores=tuple(checkpoint.fact("scores")),
        version=_version(),
    )


def _mirrored(model: keras.Model, card: Card) -> tuple[keras.Model, Card]:
    if second_input(model) is not None:
        raise ConfigError(
            f"a network that sees {second_input(model)} beside the image cannot be mirrored: "
            "leave --mirror out"
        )
    scores = tuple(
        {**score, "protocol": f"{score['protocol']}, of the network that is mirrored here"}
        for score in card.scores
    )
    return mirrored(model), card._replace(network={**card.network, "mirrored": True}, scores=scores)


def _inputs(model: keras.Model, size: Size | None) -> tuple[dict[str, Any], ...]:
    names = filter(None, (tensors.INPUT, second_input(model)))
    return tuple(
        {"name": name, "dtype": dtype, "shape": [None, *(size or (None, None)), channels]}
        for name in names
        for dtype, channels in [tensors.INPUTS[name]]
    )


def _version() -> str:
    return version("semseg")
