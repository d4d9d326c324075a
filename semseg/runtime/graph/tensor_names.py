"""The names of a frozen graph's tensors, and the types of its inputs."""

from typing import Optional

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
