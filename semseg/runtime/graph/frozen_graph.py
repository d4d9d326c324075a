"""The frozen graph: the one file that crosses from the workstation to the robot.

A graph is a program, so it is read and checked here, without TensorFlow, before any engine
sees it: its nodes, types and constants, the ops it uses, its tables, card and digest. The names of
its tensors and the types of its inputs stand here too. ``docs/frozen_graph.md`` describes the
format.
"""

import os
from typing import Dict, FrozenSet, NamedTuple, Optional, Tuple

import numpy as np

from semseg.classes import ClassTable
from semseg.errors import ConfigError, GraphError, unknown_name
from semseg.runtime.graph.card import FORMAT, MODEL_CARD, Card, append_card, graph_digest
from semseg.runtime.graph.graph_def import Node, read_nodes, source_name
from semseg.runtime.graph.protobuf import WireError
from semseg.runtime.graph.structure import ALLOWED_OPS, checked_nodes

INPUT = "input"
RIGHT = "right"
DISPARITY = "disparity"
CLASS_IDS = "class_ids"
CLASS_CONFIDENCE = "class_confidence"
CLASS_PROBABILITIES = "class_probabilities"
CLASS_COLORS = "class_colors"
ID_TO_RGB = "id_to_rgb"
ID_TO_CLASS_NAMES = "id_to_class_names"

INPUTS = {INPUT: ("uint8", 3), RIGHT: ("uint8", 3), DISPARITY: ("float32", 1)}
"""Name of an input -> its type and its number of channels."""
OUTPUTS = (
    CLASS_IDS,
    CLASS_CONFIDENCE,
    CLASS_PROBABILITIES,
    CLASS_COLORS,
    ID_TO_RGB,
    ID_TO_CLASS_NAMES,
)
"""What a graph computes, and its two tables."""


def head_tensor(name: str, head: Optional[str]) -> str:
    """Returns the name of an output or a table of a head; None means the default head."""
    return name if head is None else "%s/%s" % (name, head)


__all__ = [
    "ALLOWED_OPS",
    "CLASS_COLORS",
    "CLASS_CONFIDENCE",
    "CLASS_IDS",
    "CLASS_PROBABILITIES",
    "DISPARITY",
    "FORMAT",
    "ID_TO_CLASS_NAMES",
    "ID_TO_RGB",
    "INPUT",
    "INPUTS",
    "MODEL_CARD",
    "OUTPUTS",
    "RIGHT",
    "Card",
    "FrozenGraph",
    "GraphInput",
    "append_card",
    "graph_digest",
    "head_tensor",
    "read_frozen_graph",
]

_MAX_FILE_BYTES = 2**31 - 1  # The limit of a protobuf message.
_MAX_HOPS = 8
_MAX_INPUTS = 2
_MAX_SIDE = 16384


class GraphInput(NamedTuple):
    """An input tensor: name, data type, and (N, height, width, channels), None where open."""

    name: str
    dtype: str
    shape: Tuple[Optional[int], ...]

    @property
    def size(self) -> Optional[Tuple[int, int]]:
        """The fixed (height, width), or None if either is open."""
        _, height, width, _ = self.shape
        return None if height is None or width is None else (height, width)

    @property
    def channels(self) -> int:
        """Number of channels, which is never open."""
        return INPUTS[self.name][1]


class FrozenGraph(NamedTuple):
    """A checked frozen graph.

    Attributes:
      path: where it was read from.
      data: the file's bytes, those that were checked.
      card: its card; None for a graph of PARIS-sem-seg.
      classes: names and RGB colours of its classes.
      nodes: its nodes by name, each after those that it takes its inputs from.
      inputs: its input tensors, ``input`` first.
      has_labels: whether it has ``class_ids`` and ``class_confidence``.
      digest: SHA-256 of the graph without its card, hexadecimal.
    """

    path: str
    data: bytes
    card: Optional[Card]
    classes: ClassTable
    nodes: Dict[str, Node]
    inputs: Tuple[GraphInput, ...]
    has_labels: bool
    digest: str

    @property
    def ops(self) -> FrozenSet[str]:
        """The ops it uses."""
        return frozenset(node.op for node in self.nodes.values())

    @property
    def outputs(self) -> Tuple[str, ...]:
        """Names of the output and table tensors, those of every head after the plain ones."""
        labels = OUTPUTS if self.has_labels else OUTPUTS[2:]
        heads = () if self.card is None else self.card.heads
        named = tuple(head_tensor(name, head.name) for head in heads for name in labels)
        return tuple(labels) + named

    def head_classes(self, head: Optional[str]) -> ClassTable:
        """Returns the classes of a head by its name; None means the default head.

        Raises:
          GraphError: the graph has no such head.
        """
        heads = {} if self.card is None else {head.name: head.classes for head in self.card.heads}
        if head is None:
            return self.classes
        if head not in heads:
            raise GraphError("%s: %s" % (self.path, unknown_name("head", head, heads)))
        return heads[head]


def read_frozen_graph(path: str) -> FrozenGraph:
    """Reads a frozen graph and checks all that can be checked without running it.

    Args:
      path: a ``.pb`` file written by ``scripts/freeze.py`` or by PARIS-sem-seg.

    Raises:
      GraphError: the file is missing, damaged, no frozen graph, or not to be trusted.
    """
    path = str(path)
    data = read_file(path)
    try:
        nodes = checked_nodes(read_nodes(memoryview(data)))
        inputs = _inputs(nodes)
        classes = _classes(nodes)
        digest = graph_digest(data)
        card = _card(nodes, classes, digest)
        if card is not None:
            _check_card(card, nodes, inputs)
    except (WireError, GraphError) as error:
        raise GraphError(
            "%s is no usable frozen graph: %s (expected a .pb made by scripts/freeze.py)"
            % (path, error)
        )
    return FrozenGraph(
        path=path,
        data=data,
        card=card,
        classes=classes,
        nodes=nodes,
        inputs=inputs,
        has_labels=CLASS_IDS in nodes and CLASS_CONFIDENCE in nodes,
        digest=digest,
    )


def read_file(path: str) -> bytes:
    """Returns the bytes of a file that may be a graph; raises ``GraphError``."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size > _MAX_FILE_BYTES:
                raise GraphError("%s is larger than 2 GiB; no frozen graph is" % path)
            return file.read()
    except OSError as error:
        raise GraphError("cannot read the model %s: %s" % (path, error.strerror))


def _inputs(nodes) -> Tuple[GraphInput, ...]:
    placeholders = [node for node in nodes.values() if node.op.startswith("Placeholder")]
    for name in (INPUT, CLASS_PROBABILITIES):
        if name not in nodes:
            raise GraphError(
                "it has no tensor '%s'; its inputs are: %s"
                % (name, ", ".join(node.name for node in placeholders) or "none")
            )
    inputs = tuple(_input(node) for node in placeholders)
    names = {found.name for found in inputs}
    if INPUT not in names or len(inputs) > _MAX_INPUTS:
        raise GraphError(
            "its inputs are %s; expected '%s' and at most one of '%s', '%s'"
            % (", ".join(sorted(names)) or "none", INPUT, RIGHT, DISPARITY)
        )
    return tuple(sorted(inputs, key=lambda found: list(INPUTS).index(found.name)))


def _input(node) -> GraphInput:
    if node.name not in INPUTS:
        raise GraphError(
            "it needs input '%s'; known inputs are %s" % (node.name, ", ".join(INPUTS))
        )
    dtype, channels = INPUTS[node.name]
    shape = node.shape()
    fits = shape is not None and len(shape) == 4 and shape[3] == channels
    fits = fits and all(size is None or 0 < size <= _MAX_SIDE for size in shape)
    if node.dtype() != dtype or not fits:
        raise GraphError(
            "its input '%s' is %s %s; expected %s [N, H, W, %d]"
            % (node.name, node.dtype(), shape or "of any shape", dtype, channels)
        )
    return GraphInput(node.name, dtype, shape)


def _classes(nodes, head=None) -> ClassTable:
    colors = _table(nodes, head_tensor(ID_TO_RGB, head))
    names = _table(nodes, head_tensor(ID_TO_CLASS_NAMES, head))
    if colors.dtype == object or colors.ndim != 2 or colors.shape[1] != 3:
        raise GraphError("its '%s' is no table of colours [C + 1, 3]" % ID_TO_RGB)
    if names.dtype != object or names.ndim != 1 or len(names) != len(colors):
        raise GraphError(
            "its '%s' is no list of %d names, one per colour" % (ID_TO_CLASS_NAMES, len(colors))
        )
    try:
        texts = [name.decode("utf-8") for name in names]
        return ClassTable.create(texts[:-1], colors[:-1, ::-1].tolist())  # Stored BGR, void last.
    except (ConfigError, UnicodeDecodeError) as error:
        raise GraphError("its class table: %s" % error)


def _table(nodes, name) -> np.ndarray:
    node = nodes.get(name)
    for _ in range(_MAX_HOPS):
        if node is not None and node.op == "Identity" and len(node.inputs) == 1:
            node = nodes[source_name(node.inputs[0])]
    if node is None or node.op != "Const":
        raise GraphError("it has no constant '%s'" % name)
    return node.constant().array()


def _card(nodes, classes, digest) -> Optional[Card]:
    if MODEL_CARD not in nodes:
        return None
    text = _table(nodes, MODEL_CARD)
    if text.dtype != object or text.shape != ():
        raise GraphError("its card is no string")
    try:
        card = Card.from_json(text.item().decode("utf-8"))
    except UnicodeDecodeError:
        raise GraphError("its card is no UTF-8 text")
    if card.graph_sha256 != digest:
        raise GraphError("its digest is not its card's: it was changed or damaged after freezing")
    _check_classes(classes, card.classes, "")
    return card


def _check_card(card, nodes, inputs):
    """Compares the card with the graph's inputs, and with the tables of each head."""
    named = [found.get("name") for found in card.inputs]
    if named and named != [found.name for found in inputs]:
        raise GraphError(
            "its inputs are %s, its card names %s"
            % (", ".join(found.name for found in inputs), ", ".join(map(str, named)))
        )
    for head in card.heads:
        for name in OUTPUTS:
            if head_tensor(name, head.name) not in nodes:
                raise GraphError("it has no tensor '%s'" % head_tensor(name, head.name))
        _check_classes(_classes(nodes, head.name), head.classes, " of head '%s'" % head.name)


def _check_classes(table, card, whose):
    if card != table:
        raise GraphError(
            "its tables and its card disagree on the classes%s: %s"
            % (whose, _first_difference(table, card))
        )


def _first_difference(table, card):
    rows = [list(zip(classes.names, classes.colors)) for classes in (table, card)]
    for position, (ours, theirs) in enumerate(zip(*rows)):
        if ours != theirs:
            return "class %d is %s in the table, %s in the card" % (position, ours, theirs)
    return "%d in the table, %d in the card" % (len(rows[0]), len(rows[1]))
