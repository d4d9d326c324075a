"""Brings together the two images that a stereo or depth model sees, by their stamps."""

import threading
from collections import OrderedDict
from typing import Any, Callable

import message_filters
import rospy

QUEUE_SIZE = 10
"""How many images of each topic wait for their partner."""
# A stamp that lies so much before its predecessor's begins another round of a looped bag.
_JUMP_BACK = rospy.Duration(1)


class Pairing:
    """Pairs images with second images, exactly or approximately (``message_filters``).

    Args:
      slop_s: by how many seconds the stamps of a pair may differ; 0: they must be equal.
      paired: called with each pair.
      unpaired: called once for each image that found no partner.
    """

    def __init__(
        self, slop_s: float, paired: Callable[[Any, Any], None], unpaired: Callable[[], None]
    ):
        self._paired = paired
        self._unpaired = unpaired
        # Both topics have threads of their own, and the synchronizer calls back in either.
        self._lock = threading.RLock()
        self._waiting: "OrderedDict[rospy.Time, None]" = OrderedDict()
        self._newest = [rospy.Time(), rospy.Time()]
        self._inputs = [message_filters.SimpleFilter(), message_filters.SimpleFilter()]
        self._synchronizer = (
            message_filters.ApproximateTimeSynchronizer(self._inputs, QUEUE_SIZE, slop_s)
            if slop_s
            else message_filters.TimeSynchronizer(self._inputs, QUEUE_SIZE)
        )
        self._synchronizer.registerCallback(self._match)

    def add_first(self, message: Any) -> None:
        """Takes an image in."""
        with self._lock:
            if message.header.stamp in self._waiting:
                self._unpaired()  # It takes the place of one with the same stamp.
            self._waiting[message.header.stamp] = None
            self._add(0, message)
            while len(self._waiting) > QUEUE_SIZE:
                self._waiting.popitem(last=False)
                self._unpaired()

    def add_second(self, message: Any) -> None:
        """Takes a second image in."""
        with self._lock:
            self._add(1, message)

    def _add(self, position, message):
        stamp = message.header.stamp
        if self._newest[position] - stamp > _JUMP_BACK:
            # A full queue drops its earliest stamp: that would be every message of a new round.
            self._synchronizer.queues[position].clear()
        self._newest[position] = stamp
        self._inputs[position].signalMessage(message)

    def _match(self, first, second):
        self._waiting.pop(first.header.stamp, None)
        self._paired(first, second)
