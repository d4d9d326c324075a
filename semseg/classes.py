"""The class table: names and colours of the labels, and the label that means "ignore".

``label_info`` describes it to programs that read labels without this package.
"""

import json
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from semseg.errors import ConfigError

IGNORE = 255
"""The label of a pixel that has no class: not trained on, not scored, drawn as void."""

VOID_NAME = "void"
VOID_COLOR = (0, 0, 0)
MAX_CLASSES = 255

Color = Tuple[int, int, int]


class ClassTable(NamedTuple):
    """Names and colours of the classes; the label of a class is its position.

    Attributes:
      names: one name per class.
      colors: one RGB colour per class, 0..255.
    """

    names: Tuple[str, ...]
    colors: Tuple[Color, ...]

    @classmethod
    def create(cls, names: Sequence[str], colors: Sequence[Sequence[int]]) -> "ClassTable":
        """Builds a checked table.

        Args:
          names: the class names, each one once.
          colors: one RGB colour per class, integers 0..255.

        Returns:
          The table.

        Raises:
          ConfigError: no class, too many, a repeated name, or a colour that is none.
        """
        names = tuple(str(name) for name in names)
        checked = tuple(_checked_color(color) for color in colors)
        if not 1 <= len(names) <= MAX_CLASSES:
            raise ConfigError(
                "a class table has 1 to %d classes, found %d" % (MAX_CLASSES, len(names))
            )
        if len(checked) != len(names):
            raise ConfigError(
                "a class table needs one colour per class, found %d names and %d colours"
                % (len(names), len(checked))
            )
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ConfigError("class name used more than once: %s" % ", ".join(repeated))
        return cls(names, checked)

    @classmethod
    def from_list(cls, classes: Sequence[Dict[str, Any]]) -> "ClassTable":
        """Builds a table from ``[{"name": "road", "color": [128, 64, 128]}, ...]``."""
        try:
            return cls.create(
                [entry["name"] for entry in classes], [entry["color"] for entry in classes]
            )
        except (KeyError, TypeError):
            raise ConfigError("classes must be a list of {name, color}, found %.80r" % (classes,))

    def to_list(self) -> List[Dict[str, Any]]:
        """Returns the table as JSON-ready ``[{"name": ..., "color": [r, g, b]}, ...]``."""
        return [
            {"name": name, "color": list(color)} for name, color in zip(self.names, self.colors)
        ]

    @property
    def num_classes(self) -> int:
        """Number of classes, without void."""
        return len(self.names)

    @property
    def palette(self) -> np.ndarray:
        """RGB colour of every possible label, uint8 (256, 3); void's for all that are no class."""
        palette = np.empty((256, 3), np.uint8)
        palette[:] = VOID_COLOR
        palette[: self.num_classes] = self.colors
        return palette


def _checked_color(color: Sequence[int]) -> Color:
    try:
        red, green, blue = (int(value) for value in color)
    except (TypeError, ValueError):
        raise ConfigError("a colour is three integers [red, green, blue], found %r" % (color,))
    if not all(0 <= value <= 255 for value in (red, green, blue)):
        raise ConfigError("a colour's values are 0..255, found %r" % (color,))
    return red, green, blue


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
