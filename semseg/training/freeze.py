"""Freezes the best checkpoint of a run into one file, the frozen graph of format 1.

``docs/frozen_graph.md`` describes the format. The graph must load in TensorFlow 1.15, which
refuses attributes it does not know: those that have their default value are stripped.
"""

import hashlib
import logging
import os
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow.python.framework import meta_graph
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tensorflow.python.grappler import tf_optimizer

from semseg.classes import VOID_COLOR, VOID_NAME, ClassTable
from semseg.errors import CheckpointError, ConfigError, GraphError
from semseg.runtime import frozen_graph as tensors
from semseg.runtime.frozen_graph import Card, append_card
from semseg.training.building import build_network
from semseg.training.checkpoints import Checkpoint, load_checkpoint, model_variables, restore
from semseg.training.config import ExperimentConfig, load_config
from semseg.training.run_folder import RunFolder
from semseg.training.verification import verify

logger = logging.getLogger(__name__)

OUTPUTS = (
    tensors.CLASS_IDS,
    tensors.CLASS_CONFIDENCE,
    tensors.CLASS_PROBABILITIES,
    tensors.CLASS_COLORS,
    tensors.ID_TO_RGB,
    tensors.ID_TO_CLASS_NAMES,
)
OPTIMIZERS = ("pruning", "constfold", "dependency")
"""Grappler passes; constant folding moves normalisations into the convolutions before them."""

Size = tuple[int, int]


def freeze(workdir: str | Path, output: str | Path, size: Size | None = None) -> Card:
    """Writes the frozen graph of a run's best checkpoint, and runs it in a fresh process.

    Args:
      workdir: the run folder.
      output: the ``.pb`` file to write.
      size: (height, width) that the graph's input is fixed to; None leaves it open, and the
        card names the size of the run's configuration.

    Returns:
      The card of the graph.

    Raises:
      ConfigError: there is no run in the folder.
      CheckpointError: its best checkpoint is missing, damaged or of another network.
      GraphError: the file cannot be written, or its labels differ from the checkpoint's on
        more than 0.1 % of the pixels; then there is no file.
    """
    folder, output = RunFolder(workdir), Path(output)
    if not folder.config.exists():
        raise ConfigError(f"no run in {workdir}: it has no {folder.config.name}")
    config, checkpoint = load_config(folder.config), load_checkpoint(folder.best)
    classes = ClassTable.from_list(checkpoint.state["classes"])
    model = build_network(config.network, classes.num_classes)
    restore(checkpoint, model_variables(model))
    card = _card(config, checkpoint, classes, size)
    partial = output.with_name(output.name + ".partial")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(append_card(graph_bytes(model, classes, size), card))
        verify(partial, model, np.load(folder.images), size or config.data.size)
        os.replace(partial, output)
    except OSError as error:
        raise GraphError(f"cannot freeze {workdir} into {output}: {error}")
    finally:
        partial.unlink(missing_ok=True)
    return card


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


def graph_bytes(model: keras.Model, classes: ClassTable, size: Size | None = None) -> bytes:
    """Freezes a model into a serialized GraphDef of format 1, without card.

    Args:
      model: from float32 images [N, H, W, 3] to logits.
      classes: the classes of the logits.
      size: fixed (height, width) of the input; None leaves it open.

    Returns:
      The same bytes for the same model and classes, in every process.
    """
    height, width = size or (None, None)
    images = tf.TensorSpec((None, height, width, 3), tf.uint8, name=tensors.INPUT)
    serve = tf.function(lambda images: _outputs(model, classes, images), autograph=False)
    frozen = convert_variables_to_constants_v2(serve.get_concrete_function(images))
    graph = _optimized(frozen.graph.as_graph_def())
    return _portable(graph).SerializeToString(deterministic=True)


def _outputs(model: keras.Model, classes: ClassTable, images: tf.Tensor) -> dict[str, tf.Tensor]:
    """Names every output of the format, each once."""
    bgr = np.array([*classes.colors, VOID_COLOR], np.uint8)[:, ::-1]
    id_to_rgb = tf.constant(bgr, name=tensors.ID_TO_RGB)
    names = tf.constant([*classes.names, VOID_NAME], name=tensors.ID_TO_CLASS_NAMES)
    logits = model(tf.cast(images, tf.float32), training=False)
    probabilities = tf.nn.softmax(logits, name=tensors.CLASS_PROBABILITIES)
    winners = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
    return {
        tensors.CLASS_IDS: tf.cast(winners, tf.uint8, name=tensors.CLASS_IDS),
        tensors.CLASS_CONFIDENCE: tf.reduce_max(
            probabilities, axis=-1, name=tensors.CLASS_CONFIDENCE
        ),
        tensors.CLASS_PROBABILITIES: probabilities,
        tensors.CLASS_COLORS: tf.gather(id_to_rgb, winners, name=tensors.CLASS_COLORS),
        tensors.ID_TO_RGB: id_to_rgb,
        tensors.ID_TO_CLASS_NAMES: names,
    }


def _optimized(graph: Any) -> Any:
    """Folds constants by Grappler, offline, so that every engine gets the folded graph."""
    options = config_pb2.ConfigProto()
    options.graph_options.rewrite_options.optimizers.extend(OPTIMIZERS)
    options.graph_options.rewrite_options.min_graph_nodes = -1  # However small the graph.
    exported = meta_graph_pb2.MetaGraphDef(graph_def=graph)
    fetches = exported.collection_def["train_op"].node_list.value
    fetches.extend(f"{name}:0" for name in OUTPUTS)
    return tf_optimizer.OptimizeGraph(options, exported)


def _portable(graph: Any) -> Any:
    """Keeps what the outputs need, without what TensorFlow 1.15 may not know."""
    exported = meta_graph_pb2.MetaGraphDef(graph_def=graph)
    meta_graph.strip_graph_default_valued_attrs(exported)
    graph = exported.graph_def
    nodes = {node.name: node for node in graph.node}
    needed = _ancestors(nodes, OUTPUTS)
    kept = tf.compat.v1.GraphDef(versions=graph.versions)
    for node in graph.node:
        if node.name in needed:
            data_inputs = [name for name in node.input if not name.startswith("^")]
            del node.input[:]
            node.input.extend(data_inputs)
            for attribute in [name for name in node.attr if name.startswith("_")]:
                del node.attr[attribute]
            node.device = ""
            kept.node.append(node)
    return kept


def _ancestors(nodes: dict[str, Any], names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            inputs = nodes[name].input
            waiting += [source.split(":")[0] for source in inputs if not source.startswith("^")]
    return found


def _card(
    config: ExperimentConfig, checkpoint: Checkpoint, classes: ClassTable, size: Size | None
) -> Card:
    return Card(
        name=config.name,
        network=config.network.model_dump(mode="json"),
        classes=classes,
        inputs=(
            {"name": tensors.INPUT, "dtype": "uint8", "shape": [None, *(size or (None, None)), 3]},
        ),
        size=size or config.data.size,
        training=checkpoint.state["training"],
        scores=tuple(checkpoint.state["scores"]),
        version=_version(),
    )


def _version() -> str:
    return version("semseg")
