"""The messages that say what labels mean and how they are spread."""

import numpy as np
import rospy
from std_msgs.msg import ColorRGBA, Header

from semseg.classes import ClassTable, label_info
from semseg.msg import ClassDistribution, LabelClass, LabelInfo
from semseg.ros.messages import copy_header


def label_info_message(classes: ClassTable, model: str, digest: str) -> LabelInfo:
    """Returns ``runtime.label_info`` as a message, stamped with the time of now."""
    fields = label_info(classes, model, digest)
    fields["classes"] = [
        LabelClass(id=entry["id"], name=entry["name"], color=ColorRGBA(**entry["color"]))
        for entry in fields["classes"]
    ]
    return LabelInfo(header=Header(stamp=rospy.Time.now()), **fields)


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
