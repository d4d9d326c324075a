"""The model card: a frozen graph's description of itself, a JSON string inside the graph."""

import hashlib
import json
import re
from typing import Any, Dict, NamedTuple, Optional, Tuple

from semseg.classes import ClassTable
from semseg.errors import ConfigError, GraphError
from semseg.runtime.graph import graph_def, protobuf

FORMAT = 1
"""The frozen-graph format that this package writes, and the newest that it reads."""

MODEL_CARD = "model_card"
SQUASH, LETTERBOX = "squash", "letterbox"
FITS = (SQUASH, LETTERBOX)
INTERPOLATIONS = ("linear", "area")
LABEL_UPSAMPLINGS = ("nearest",)
_HEAD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")  # As a part of a TensorFlow node's name.


class Head(NamedTuple):
    """One of the heads of a network with several: its name and its classes."""

    name: str
    classes: ClassTable


class Card(NamedTuple):
    """What a frozen graph says of itself.

    Attributes:
      name: the model's name, such as ``camvid_resnet8``.
      network: the network's name and options, such as ``{"name": "resnet_baseline", ...}``.
      classes: the classes of the default head.
      inputs: one ``{"name", "dtype", "shape"}`` per input tensor.
      size: the network's (height, width); None leaves it to the runtime.
      fit: how an image gets that size: ``squash`` (both axes freely) or ``letterbox``
        (aspect kept, centred, padded with zeros).
      interpolation: ``linear`` or ``area``, as in ``geometry.resize_image``.
      label_upsampling: ``nearest``: labels return to the image's size by index tables.
      heads: the heads of a network with several, with their classes; empty with one.
      default_head: the head behind the plain tensor names; None with one.
      training: the data the network saw and their terms of use.
      scores: measured scores, each with the protocol that measured it.
      version: version of the package that wrote the graph.
      graph_sha256: digest of the graph without this card.
      format: version of the frozen-graph format.
    """

    name: str
    network: Dict[str, Any]
    classes: ClassTable
    inputs: Tuple[Dict[str, Any], ...] = ()
    size: Optional[Tuple[int, int]] = None
    fit: str = SQUASH
    interpolation: str = "linear"
    label_upsampling: str = "nearest"
    heads: Tuple[Head, ...] = ()
    default_head: Optional[str] = None
    training: Dict[str, Any] = {}
    scores: Tuple[Dict[str, Any], ...] = ()
    version: str = ""
    graph_sha256: str = ""
    format: int = FORMAT

    def to_json(self) -> str:
        """Returns the card as JSON; equal cards give equal text."""
        heads = [{"name": head.name, "classes": head.classes.to_list()} for head in self.heads]
        record = dict(self._asdict(), classes=self.classes.to_list(), heads=heads)
        return json.dumps(record, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Card":
        """Reads a card.

        Keys that this version does not know are ignored: a format keeps the meaning of
        those it has.

        Raises:
          GraphError: the text is no card, or one of a newer format.
        """
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise GraphError("its card is no JSON: %s" % error)
        if not isinstance(record, dict) or type(record.get("format")) is not int:
            raise GraphError("its card has no format number")
        if record["format"] > FORMAT:
            raise GraphError(
                "its card has format %d, this version reads up to %d; it needs semseg %s or newer"
                % (record["format"], FORMAT, record.get("version"))
            )
        missing = [key for key in cls._fields if key not in record]
        if missing:
            raise GraphError("its card lacks %s" % ", ".join(missing))
        return cls._checked({key: record[key] for key in cls._fields})

    @classmethod
    def _checked(cls, record):
        for key, expected in _TYPES.items():
            if not isinstance(record[key], expected):
                raise GraphError("its card's '%s' is %.80r" % (key, record[key]))
        for key, choices in _CHOICES.items():
            if record[key] not in choices:
                raise GraphError(
                    "its card's '%s' is '%s'; this version knows %s"
                    % (key, record[key], ", ".join(choices))
                )
        record["classes"] = _checked_classes(record["classes"])
        record["heads"] = tuple(_checked_head(head) for head in record["heads"])
        _check_default_head(record)
        if record["size"] is not None:
            record["size"] = _checked_size(record["size"])
        for key in ("inputs", "scores"):
            record[key] = tuple(record[key])
        return cls(**record)


_TYPES: Dict[str, Any] = {
    "name": str,
    "network": dict,
    "classes": list,
    "inputs": list,
    "size": (list, type(None)),
    "fit": str,
    "interpolation": str,
    "label_upsampling": str,
    "heads": list,
    "default_head": (str, type(None)),
    "training": dict,
    "scores": list,
    "version": str,
    "graph_sha256": str,
}
_CHOICES = {
    "fit": FITS,
    "interpolation": INTERPOLATIONS,
    "label_upsampling": LABEL_UPSAMPLINGS,
}


def append_card(graph: bytes, card: Card) -> bytes:
    """Adds a card to a serialized GraphDef that has none.

    Concatenated protobuf messages are one merged message, so the graph's own bytes stay as
    they are and ``graph_digest`` of the result is their SHA-256.

    Args:
      graph: the serialized GraphDef.
      card: its card; ``graph_sha256`` is filled in.

    Returns:
      The serialized GraphDef with a ``model_card`` node.
    """
    card = card._replace(graph_sha256=hashlib.sha256(graph).hexdigest())
    return graph + graph_def.encode_string_constant(MODEL_CARD, card.to_json().encode("utf-8"))


def graph_digest(graph: bytes) -> str:
    """Returns the SHA-256 (hexadecimal) of a serialized GraphDef without its card.

    Raises:
      WireError: the bytes are no GraphDef.
    """
    view, digest, kept = memoryview(graph), hashlib.sha256(), 0
    for number, _, value, start, end in protobuf.fields(view):
        if number != graph_def.GRAPH_NODE or not isinstance(value, memoryview):
            continue
        if graph_def.node_name(value) == MODEL_CARD:
            digest.update(view[kept:start])
            kept = end
    digest.update(view[kept:])
    return digest.hexdigest()


def _checked_classes(classes):
    try:
        return ClassTable.from_list(classes)
    except ConfigError as error:
        raise GraphError("its card's classes: %s" % error)


def _checked_head(head):
    name = head.get("name") if isinstance(head, dict) else None
    if not isinstance(name, str) or not _HEAD_NAME.fullmatch(name):
        raise GraphError("its card has a head without a usable name: %.80r" % (head,))
    return Head(name, _checked_classes(head.get("classes")))


def _check_default_head(record):
    heads = {head.name: head.classes for head in record["heads"]}
    default = record["default_head"]
    if len(heads) != len(record["heads"]):
        raise GraphError("two of its card's heads have one name")
    if default not in (heads or (None,)):
        raise GraphError(
            "its card's default head is '%s'; its heads are: %s"
            % (default, ", ".join(heads) or "none")
        )
    if heads and heads[default] != record["classes"]:
        raise GraphError("its card's classes are not those of its default head '%s'" % default)


def _checked_size(size):
    is_size = len(size) == 2 and all(type(side) is int and side > 0 for side in size)
    if not is_size:
        raise GraphError("its card's size is %r; expected [height, width]" % (size,))
    return tuple(size)
