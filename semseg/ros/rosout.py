"""Logging of a node: the library's records go to rosout, repeated complaints are throttled."""

import logging
import re
import time
from typing import Callable, Dict, Tuple

import rospy

_PUBLISH = (
    (logging.CRITICAL, rospy.logfatal),
    (logging.ERROR, rospy.logerr),
    (logging.WARNING, rospy.logwarn),
    (logging.INFO, rospy.loginfo),
)


class _RosoutHandler(logging.Handler):
    def emit(self, record):
        text = self.format(record)
        for level, publish in _PUBLISH:
            if record.levelno >= level:
                publish("%s", text)
                return
        rospy.logdebug("%s", text)


def forward_logging():
    """Sends what ``semseg`` logs to rosout (and so to the screen); call it after ``init_node``."""
    logger = logging.getLogger("semseg")
    logger.addHandler(_RosoutHandler())
    logger.setLevel(logging.INFO)
    logger.propagate = False


class Throttle:
    """Lets one complaint of each kind through per period.

    Complaints are of one kind if they begin alike, up to the first number or quoted word: a
    stream of ever different nonsense must neither flood the log nor fill the memory.

    Args:
      period_s: seconds that follow a complaint without another of its kind.
      clock: gives the time in seconds.
    """

    def __init__(self, period_s: float = 10.0, clock: Callable[[], float] = time.monotonic):
        self._period_s = period_s
        self._clock = clock
        self._last: Dict[Tuple[str, str], float] = {}

    def passes(self, source: str, complaint: str) -> bool:
        """Returns whether it is the source's first complaint of this kind in the period."""
        kind = source, re.split(r"[0-9'\"]", complaint, maxsplit=1)[0]
        now = self._clock()
        if now - self._last.get(kind, -self._period_s) < self._period_s:
            return False
        self._last[kind] = now
        return True
