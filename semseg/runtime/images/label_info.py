"""What labels mean, for programs that read them without this package: names, colours, void."""

import json
from typing import Any, Dict

from semseg.classes import IGNORE, ClassTable


def label_info(classes: ClassTable, model: str, digest: str) -> Dict[str, Any]:
    """Describes label images, with the fields of the message ``semseg/LabelInfo``.

    Args:
      classes: the classes of the labels.
      model: file name of the frozen graph.
      digest: the graph's SHA-256, hexadecimal.

    Returns:
      JSON-ready ``model``, ``digest``, ``void_id`` and ``classes``: each one's ``id``, ``name``
      and ``color``, whose ``r``, ``g``, ``b`` and ``a`` are 0..1.
    """
    described = [
        {"id": label, "name": name, "color": _color(*color)}
        for label, (name, color) in enumerate(zip(classes.names, classes.colors))
    ]
    return {"model": model, "digest": digest, "void_id": IGNORE, "classes": described}


def label_info_json(classes: ClassTable, model: str, digest: str) -> str:
    """Returns ``label_info`` as JSON: what the node publishes on ``~label_info_json``."""
    return json.dumps(label_info(classes, model, digest))


def _color(red, green, blue):
    return {"r": red / 255, "g": green / 255, "b": blue / 255, "a": 1.0}
