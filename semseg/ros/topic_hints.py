"""Why no publisher of a topic is connected: told from what else is published."""

import difflib
from typing import Sequence, Tuple

from semseg.node.options import COMPRESSED, RAW

IMAGE, COMPRESSED_IMAGE = "sensor_msgs/Image", "sensor_msgs/CompressedImage"
_TRANSPORT_OF = {IMAGE: RAW, COMPRESSED_IMAGE: COMPRESSED}
_SUFFIX = "/" + COMPRESSED
MAX_NAMED = 3


def hint(topic: str, kind: str, published: Sequence[Tuple[str, str]]) -> str:
    """Returns what may be wrong, for a topic without a connected publisher; empty: no idea.

    Args:
      topic: the resolved topic that is subscribed.
      kind: the type that is expected there, such as ``sensor_msgs/Image``.
      published: (topic, type) of all that is published, as the master knows it.
    """
    found = dict(published).get(topic)
    if found == kind:
        return "its publisher does not connect: can it be reached (ROS_IP, ROS_HOSTNAME)?"
    if found is not None:
        return "%s is published there, expected %s%s" % (found, kind, _transport_hint(found))
    twin = topic[: -len(_SUFFIX)] if topic.endswith(_SUFFIX) else topic + _SUFFIX
    if twin in dict(published):
        return "%s is published%s" % (twin, _transport_hint(dict(published)[twin]))
    return _similar(topic, [name for name, published_kind in published if published_kind == kind])


def _transport_hint(kind):
    return "; set ~transport to %s?" % _TRANSPORT_OF[kind] if kind in _TRANSPORT_OF else ""


def _similar(topic, candidates):
    if not candidates:
        return "no image of this type is published at all"
    near = difflib.get_close_matches(topic, candidates, n=MAX_NAMED, cutoff=0.0)
    return "remap image to one of: %s?" % ", ".join(near)
