"""Waiting with an end, on the wall clock: a simulated one may stand still."""

import time
from typing import Any, Callable, Optional

import rospy

from semseg.errors import ConfigError, SemsegError

POLL_S = 0.1


def wait_for_message(topic: str, kind: Any, patience_s: float) -> Any:
    """Returns the next message of a topic, named before remapping.

    Raises:
      ConfigError: none came within ``patience_s`` seconds.
      rospy.ROSInterruptException: the node is shut down.
    """
    try:
        return rospy.wait_for_message(topic, kind, patience_s)
    except rospy.ROSException:
        if rospy.is_shutdown():
            raise rospy.ROSInterruptException("shut down")
        raise ConfigError("nothing came on %s in %d s" % (rospy.resolve_name(topic), patience_s))


def wait_until(
    condition: Callable[[], Any], patience_s: Optional[float] = None, complaint: str = ""
) -> None:
    """Polls a condition until it is true.

    Args:
      condition: what is waited for.
      patience_s: seconds to wait at most; None: for ever.
      complaint: what the error says.

    Raises:
      SemsegError: the patience is at its end.
      rospy.ROSInterruptException: the node is shut down.
    """
    started = time.monotonic()
    while not condition():
        if rospy.is_shutdown():
            raise rospy.ROSInterruptException("shut down")
        if patience_s is not None and time.monotonic() - started > patience_s:
            raise SemsegError("%s (waited %d s)" % (complaint, patience_s))
        time.sleep(POLL_S)
