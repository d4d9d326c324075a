"""Freezes a Keras model into one serialized GraphDef, the frozen graph of format 1.

``docs/frozen_graph.md`` describes the format.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from semseg.classes import VOID_COLOR, VOID_NAME, ClassTable
from semseg.errors import ConfigError, unknown_name
from semseg.runtime.graph import frozen_graph as tensors
from semseg.runtime.graph.frozen_graph import head_tensor
from semseg.training.export.passes import Stage, passes
from semseg.training.inputs import network_inputs, second_input

logger = logging.getLogger(__name__)

Size = tuple[int, int]
Tables = ClassTable | Mapping[str, ClassTable]
"""The classes of a network: one table, or one for each head by the head's name."""


def graph_bytes(
    model: keras.Model,
    classes: Tables,
    size: Size | None = None,
    default_head: str | None = None,
    *,
    columns: bool = False,
) -> bytes:
    """Freezes a model into a serialized GraphDef of format 1, without card; logs what it takes.

    Args:
      model: from float32 images [N, H, W, 3] to logits. With four channels the fourth is a
        disparity, and the graph gets the input ``disparity``; with a second input named
        ``right`` it gets that one. Several heads give a dict of logits by the head's name;
        what else is in the dict, such as auxiliary logits, is left out.
      classes: the classes of the logits, of each head by its name if there are several.
      size: fixed (height, width) of the input; None leaves it open.
      default_head: the head behind the plain tensor names; None takes the first.
      columns: group columns for TensorFlow 1.15's narrow convolutions, see ``group_columns``;
        for a fixed size only.

    Returns:
      The same bytes for the same model and classes, in every process.

    Raises:
      ConfigError: there is no such head.
    """
    for stage in graph_stages(model, classes, size, default_head, columns=columns):
        logger.info("%-17s %6d nodes %9.1f kB", stage.name, stage.num_nodes, stage.num_bytes / 1e3)
    return stage.graph.SerializeToString(deterministic=True)


def graph_stages(
    model: keras.Model,
    classes: Tables,
    size: Size | None = None,
    default_head: str | None = None,
    *,
    columns: bool = False,
) -> Iterator[Stage]:
    """Yields what each pass of freezing makes of a model, as ``passes`` does.

    Arguments and errors are those of ``graph_bytes``, whose graph is the last one.
    """
    specs = _input_specs(model, size)
    default_head = chosen_head(classes, default_head)

    def serve(*images: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = model(network_inputs(model, *images), training=False)
        return _outputs(logits, classes, default_head)

    function = tf.function(serve, input_signature=specs, autograph=False).get_concrete_function()
    names = list(function.structured_outputs)
    return passes(convert_variables_to_constants_v2(function).graph.as_graph_def(), names, columns)


def chosen_head(classes: Tables, head: str | None) -> str | None:
    """Returns the head that is asked for, the first by default; None if there is but one.

    Raises:
      ConfigError: there is no such head.
    """
    heads = [] if isinstance(classes, ClassTable) else list(classes)
    if head is not None and head not in heads:
        raise ConfigError(unknown_name("head", head, heads))
    return head or next(iter(heads), None)


def _input_specs(model: keras.Model, size: Size | None) -> list[tf.TensorSpec]:
    names = filter(None, (tensors.INPUT, second_input(model)))
    return [
        tf.TensorSpec((None, *(size or (None, None)), channels), dtype, name=name)
        for name in names
        for dtype, channels in [tensors.INPUTS[name]]
    ]


def _outputs(logits: Any, classes: Tables, default_head: str | None) -> dict[str, tf.Tensor]:
    """Names every output of the format, each once."""
    if isinstance(classes, ClassTable):
        return _head_outputs(logits, classes, None)
    outputs = {}
    for head, table in classes.items():
        outputs.update(_head_outputs(logits[head], table, head))
    for name in tensors.OUTPUTS:
        outputs[name] = tf.identity(outputs[head_tensor(name, default_head)], name=name)
    return outputs


def _head_outputs(logits: tf.Tensor, classes: ClassTable, head: str | None) -> dict[str, tf.Tensor]:
    names = {name: head_tensor(name, head) for name in tensors.OUTPUTS}
    bgr = np.array([*classes.colors, VOID_COLOR], np.uint8)[:, ::-1]
    id_to_rgb = tf.constant(bgr, name=names[tensors.ID_TO_RGB])
    class_names = [*classes.names, VOID_NAME]
    probabilities = tf.nn.softmax(logits, name=names[tensors.CLASS_PROBABILITIES])
    # Of the logits: whoever wants labels alone does not pay for the softmax.
    winners = tf.argmax(logits, axis=-1, output_type=tf.int32)
    made = {
        tensors.CLASS_IDS: tf.cast(winners, tf.uint8, name=names[tensors.CLASS_IDS]),
        tensors.CLASS_CONFIDENCE: tf.reduce_max(
            probabilities, axis=-1, name=names[tensors.CLASS_CONFIDENCE]
        ),
        tensors.CLASS_PROBABILITIES: probabilities,
        tensors.CLASS_COLORS: tf.gather(id_to_rgb, winners, name=names[tensors.CLASS_COLORS]),
        tensors.ID_TO_RGB: id_to_rgb,
        tensors.ID_TO_CLASS_NAMES: tf.constant(class_names, name=names[tensors.ID_TO_CLASS_NAMES]),
    }
    return {names[name]: tensor for name, tensor in made.items()}
