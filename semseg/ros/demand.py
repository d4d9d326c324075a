"""Follows the listeners: cameras are subscribed while someone listens to their labels."""

import logging
import threading
from typing import Callable

_log = logging.getLogger(__name__)

# Should a change ever be missed, it is seen after this long.
RECHECK_S = 1.0


class Demand:
    """Calls a function soon after listeners came or went, from a thread of its own.

    Not from rospy's callbacks themselves: subscribing there would wait for the master while
    the listener's connection waits for the callback, and two of them would cross.

    Args:
      follow: called without arguments; subscribes and unsubscribes.
    """

    def __init__(self, follow: Callable[[], None]):
        self._follow = follow
        self._changed = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="demand", daemon=True)

    def start(self) -> None:
        """Follows once, then whenever something changed."""
        self._follow()
        self._thread.start()

    def changed(self) -> None:
        """Says that listeners came or went; does not wait."""
        self._changed.set()

    def stop(self) -> None:
        """Ends following."""
        self._ended = True
        self._changed.set()

    def _run(self):
        while True:
            self._changed.wait(RECHECK_S)
            self._changed.clear()  # Before looking: what changes meanwhile is looked at again.
            if self._ended:
                return
            try:
                self._follow()
            except Exception:
                # Without its thread the node would never find its cameras again.
                _log.exception("the cameras cannot follow their listeners; tried again")
