"""The files beside a frozen graph, ``.onnx`` and ``.tflite``, for engines that read no ``.pb``.

They have the graph's stem and its card. A file whose card is not that of the graph is refused
before an engine sees it.
"""

import os
import zipfile

from semseg.errors import EngineError, GraphError
from semseg.runtime.graph.card import Card
from semseg.runtime.graph.frozen_graph import FrozenGraph
from semseg.runtime.graph.protobuf import Field, WireError, read_message

CARD_KEY = "model_card"
"""Key of the card in an ONNX file's metadata."""
CARD_FILE = "model_card.json"
"""Name of the card in the archive that ends a TFLite file, and in a SavedModel's extra assets."""
FORMATS = {
    "onnx": ".onnx",
    "tflite": ".tflite",
    "tflite-float16": ".float16.tflite",
    "tflite-int8": ".int8.tflite",
}
"""Format, as ``freeze.py --format`` names it -> what replaces ``.pb`` in the file's name."""

# Source of the field numbers: onnx/onnx.proto, ModelProto and StringStringEntryProto.
_MODEL = {7: Field("graph", "bytes"), 14: Field("metadata", "bytes", True)}
_ENTRY = {1: Field("key", "text"), 2: Field("value", "text")}


def companion_path(graph_path: str, form: str) -> str:
    """Returns where the file of a format of a frozen graph stands."""
    return os.path.splitext(graph_path)[0] + FORMATS[form]


def checked_companion(graph: FrozenGraph, form: str) -> str:
    """Finds the file of a format that belongs to a frozen graph.

    Args:
      graph: the checked graph.
      form: one of ``FORMATS``.

    Returns:
      The file's path.

    Raises:
      EngineError: there is none; the message has the command that makes it.
      GraphError: it is damaged, or of another graph.
    """
    path = companion_path(graph.path, form)
    if not os.path.exists(path):
        raise EngineError(
            "there is no %s beside %s; make it with: scripts/freeze.py --workdir RUN --output %s "
            "--format %s" % (os.path.basename(path), graph.path, graph.path, form)
        )
    try:
        card = read_onnx_card(path) if form == "onnx" else read_tflite_card(path)
        _check(card, graph)
    except (GraphError, WireError) as error:
        raise GraphError("%s cannot stand in for %s: %s" % (path, graph.path, error))
    return path


def read_onnx_card(path: str) -> Card:
    """Reads the card of an ONNX file; raises ``GraphError`` or ``WireError``."""
    with open(path, "rb") as file:
        model = read_message(memoryview(file.read()), _MODEL)
    if model["graph"] is None:
        raise GraphError("it is no ONNX model")
    entries = [read_message(entry, _ENTRY) for entry in model["metadata"]]
    texts = [entry["value"] for entry in entries if entry["key"] == CARD_KEY]
    if len(texts) != 1 or texts[0] is None:
        raise GraphError("it has no model card")
    return Card.from_json(texts[0])


def read_tflite_card(path: str) -> Card:
    """Reads the card of a TFLite file; raises ``GraphError``."""
    try:
        with zipfile.ZipFile(path) as archive:
            return Card.from_json(archive.read(CARD_FILE).decode("utf-8"))
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError):
        raise GraphError("it has no model card")


def _check(card, graph):
    if card.graph_sha256 != graph.digest:
        raise GraphError(
            "it was made of another graph, %.12s..., this one is %.12s...; freeze both again"
            % (card.graph_sha256, graph.digest)
        )
    if card != graph.card:
        ours = {} if graph.card is None else graph.card._asdict()
        differing = [key for key, value in card._asdict().items() if value != ours.get(key)]
        raise GraphError("its card differs in %s" % ", ".join(differing))
