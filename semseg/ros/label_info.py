"""The messages that say what labels mean and how they are spread."""

import json

import numpy as np
import rospy
from std_msgs.msg import ColorRGBA, Header

from semseg.classes import IGNORE, ClassTable
from semseg.msg import ClassDistribution, LabelClass, LabelInfo
from semseg.ros.messages import copy_header


def label_info_message(classes: ClassTable, model: str, digest: str) -> LabelInfo:
    """Describes label images.

    Args:
      classes: the classes of their labels.
      model: file name of the frozen graph.
      digest: the graph's SHA-256, hexadecimal.
    """
    return LabelInfo(
        header=Header(stamp=rospy.Time.now()),
        model=model,
        digest=digest,
        void_id=IGNORE,
        classes=_label_classes(classes),
    )


def label_info_json(message: LabelInfo) -> str:
    """Returns a ``LabelInfo`` as JSON, field by field: for consumers without this package."""
    fields = {name: getattr(message, name) for name in ("model", "digest", "void_id")}
    fields["classes"] = [
        {
            "id": entry.id,
            "name": entry.name,
            "color": {channel: getattr(entry.color, channel) for channel in "rgba"},
        }
        for entry in message.classes
    ]
    return json.dumps(fields)


def class_table(message: LabelInfo) -> ClassTable:
    """Returns the class table that a ``LabelInfo`` describes."""
    colors = [
        [int(round(255 * value)) for value in (entry.color.r, entry.color.g, entry.color.b)]
        for entry in message.classes
    ]
    return ClassTable.create([entry.name for entry in message.classes], colors)


def distribution_message(header: Header, labels: np.ndarray, num_classes: int) -> ClassDistribution:
    """Returns each class's share of the pixels, 0..1, and that of the pixels without a class."""
    counts = np.bincount(labels.ravel(), minlength=256)
    shares = counts / float(labels.size)
    return ClassDistribution(
        header=copy_header(header),
        fractions=shares[:num_classes].tolist(),
        void_fraction=shares[num_classes:].sum(),
    )


def _label_classes(classes):
    return [
        LabelClass(id=label, name=name, color=_color(color))
        for label, (name, color) in enumerate(zip(classes.names, classes.colors))
    ]


def _color(color):
    red, green, blue = (value / 255.0 for value in color)
    return ColorRGBA(r=red, g=green, b=blue, a=1.0)
