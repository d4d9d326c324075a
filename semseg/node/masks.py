"""Masks of single classes and of groups of classes, for consumers that want no class ids."""

import re
from functools import lru_cache
from typing import Any, Dict, Mapping, Sequence, Tuple

import cv2
import numpy as np

from semseg.classes import ClassTable
from semseg.errors import ConfigError, unknown_name

COVERED = 255
"""Value of a mask's pixels that belong to its class or group; the others are 0."""


def mask_classes(
    masks: Sequence[str], groups: Mapping[str, Any], classes: ClassTable
) -> Dict[str, Tuple[str, ...]]:
    """Returns which classes each mask covers.

    Args:
      masks: names of classes that get a mask of their own.
      groups: name of a group -> names of its classes.
      classes: the classes of the labels.

    Returns:
      Topic name of the mask -> names of its classes. What a topic cannot hold becomes ``_``.

    Raises:
      ConfigError: a class is unknown, a group has none, or two masks have one topic.
    """
    covered: Dict[str, Tuple[str, ...]] = {}
    wanted = [("masks", name, [name]) for name in masks]
    wanted += [("groups", name, members) for name, members in groups.items()]
    for parameter, name, members in wanted:
        topic = re.sub("[^A-Za-z0-9_]", "_", str(name))
        if topic in covered or not topic:
            raise ConfigError("parameter ~%s: two masks are called '%s'" % (parameter, topic))
        covered[topic] = _checked_members(parameter, name, members, classes)
    return covered


def mask(labels: np.ndarray, names: Tuple[str, ...], classes: ClassTable) -> np.ndarray:
    """Returns where labels are of some classes: uint8 (H, W), ``COVERED`` or 0.

    Args:
      labels: uint8 (H, W).
      names: names of the classes; one that the table lacks covers nothing.
      classes: the classes of the labels.
    """
    return cv2.LUT(labels, _mask_table(names, classes))


@lru_cache(maxsize=256)
def _mask_table(names, classes):
    table = np.zeros(256, np.uint8)
    table[: classes.num_classes] = np.isin(classes.names, names) * COVERED
    return table


def _checked_members(parameter, name, members, classes):
    if not isinstance(members, list) or not members:
        raise ConfigError(
            "parameter ~%s: '%s' must list its classes, found %.80r" % (parameter, name, members)
        )
    for member in members:
        if member not in classes.names:
            raise ConfigError(
                "parameter ~%s: %s" % (parameter, unknown_name("class", member, classes.names))
            )
    return tuple(members)
