"""Writes a frozen graph in other programs' formats: ONNX, TFLite and SavedModel.

All are made of the frozen graph's own bytes, compute its labels, confidence and probabilities
under the same names, and carry its card.
"""

import io
import logging
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from semseg.errors import ConfigError
from semseg.runtime.engines.companions import CARD_FILE, CARD_KEY, companion_path
from semseg.runtime.graph.frozen_graph import (
    CLASS_COLORS,
    ID_TO_CLASS_NAMES,
    ID_TO_RGB,
    FrozenGraph,
)

OPSET = 13
"""Of ONNX: the newest that TensorRT 8.2 reads, the last one for a Jetson TX2."""
SAVED_MODEL = "savedmodel"
INT8 = "tflite-int8"
_NOT_COMPUTED = (CLASS_COLORS, ID_TO_RGB, ID_TO_CLASS_NAMES)
_AXES = ("batch", "height", "width")

Feeds = Mapping[str, np.ndarray]


def write_format(graph: FrozenGraph, form: str, calibration: Iterable[Feeds]) -> Path:
    """Writes a format beside a frozen graph.

    Args:
      graph: the checked graph, with a card.
      form: ``savedmodel``, or one of ``semseg.runtime.engines.companions.FORMATS``.
      calibration: inputs by name, batches of one, that int8 takes its ranges from.

    Returns:
      The file; the folder of a SavedModel.

    Raises:
      ConfigError: a package that writes the format is missing.
    """
    if form == SAVED_MODEL:
        folder = saved_model_path(graph.path)
        write_saved_model(graph, folder)
        return folder
    path = Path(companion_path(graph.path, form))
    made = to_onnx(graph) if form == "onnx" else to_tflite(graph, form, calibration)
    path.write_bytes(made)
    return path


def saved_model_path(graph_path: str) -> Path:
    """Returns the folder of the SavedModel beside a frozen graph."""
    return Path(graph_path).with_suffix(".saved_model")


def computed_outputs(graph: FrozenGraph) -> list[str]:
    """Returns the outputs that the formats have: no colours, no tables, no strings."""
    return [name for name in graph.outputs if name.split("/")[0] not in _NOT_COMPUTED]


def to_onnx(graph: FrozenGraph) -> bytes:
    """Converts to ONNX, the card in its metadata.

    Raises:
      ConfigError: tf2onnx is not installed.
    """
    try:
        import onnx
        import tf2onnx
    except ImportError as error:
        raise ConfigError(f"ONNX needs {error.name}; install it with: pip install tf2onnx onnx")
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    model, _ = tf2onnx.convert.from_graph_def(
        _definition(graph),
        input_names=[f"{tensor.name}:0" for tensor in graph.inputs],
        output_names=[f"{name}:0" for name in computed_outputs(graph)],
        opset=OPSET,
    )
    _rename(model.graph)
    onnx.helper.set_model_props(model, {CARD_KEY: _card(graph)})
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def to_tflite(graph: FrozenGraph, form: str, calibration: Iterable[Feeds]) -> bytes:
    """Converts to TFLite, for one image of the card's size: open sizes would run unaccelerated.

    The card stands in a zip archive at the file's end, as TFLite's own metadata do.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(graph, Path(folder), (1, *_fixed_size(graph)))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if form != "tflite":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if form == "tflite-float16":
            converter.target_spec.supported_types = [tf.float16]
        if form == INT8:
            converter.representative_dataset = lambda: map(dict, calibration)
            kinds = tf.lite.OpsSet
            converter.target_spec.supported_ops = [kinds.TFLITE_BUILTINS_INT8]
        file = io.BytesIO(converter.convert())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(zipfile.ZipInfo(CARD_FILE), _card(graph))
    return file.getvalue()


def write_saved_model(
    graph: FrozenGraph, folder: Path, sizes: tuple[int, int, int] | None = None
) -> None:
    """Writes a SavedModel with one signature; the card stands in ``assets.extra``.

    Args:
      graph: the checked graph, with a card.
      folder: the folder to write, made if missing.
      sizes: batch, height and width of the inputs; None leaves them as the graph has them.
    """
    module = tf.Module()
    module.serve = _function(graph, sizes)
    tf.saved_model.save(module, str(folder), signatures=module.serve)
    extra = folder / "assets.extra"
    extra.mkdir(exist_ok=True)
    (extra / CARD_FILE).write_text(_card(graph))


def _function(graph: FrozenGraph, sizes: tuple[int, int, int] | None) -> Callable:
    """Returns the graph as a function from its inputs to the computed outputs by name."""
    definition, names = _definition(graph), computed_outputs(graph)
    specs = [
        tf.TensorSpec((*(sizes or x.shape[:3]), x.channels), x.dtype, name=x.name)
        for x in graph.inputs
    ]

    def serve(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        fed = {f"{x.name}:0": tensor for x, tensor in zip(graph.inputs, inputs, strict=True)}
        wanted = [f"{name}:0" for name in names]
        made = tf.graph_util.import_graph_def(definition, fed, wanted, name="")
        return dict(zip(names, made, strict=True))

    return tf.function(serve, input_signature=specs, autograph=False)


def _fixed_size(graph: FrozenGraph) -> tuple[int, int]:
    size = graph.inputs[0].size or (graph.card.size if graph.card is not None else None)
    if size is None:
        raise ConfigError(f"{graph.path} names no size, which TFLite needs; freeze it with --size")
    return size


def _definition(graph: FrozenGraph) -> Any:
    return tf.compat.v1.GraphDef.FromString(graph.data)


def _card(graph: FrozenGraph) -> str:
    if graph.card is None:
        raise ConfigError(
            f"{graph.path} has no card; only graphs of scripts/freeze.py have other formats"
        )
    return graph.card.to_json()


def _rename(graph: Any) -> None:
    """Gives an ONNX graph the names of the frozen one: ``input:0`` becomes ``input``."""
    public = [*graph.input, *graph.output]
    names = {value.name: value.name.removesuffix(":0") for value in public}
    for node in graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [names.get(name, name) for name in tensors]
    for value in public:
        value.name = names[value.name]
        sizes = value.type.tensor_type.shape.dim
        for size, axis in zip(sizes, _AXES):
            if not size.HasField("dim_value"):
                size.dim_param = axis
