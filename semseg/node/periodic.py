"""Calls that are made again and again beside the labelling, by the wall clock."""

import logging
import threading
from typing import Callable

_log = logging.getLogger(__name__)


class Periodic:
    """Calls a function every so many seconds, and sooner when asked, from a thread of its own.

    Not by the middleware's clock: a looped bag sets that back, and ends ROS's own timers. What the
    function raises is logged, and it is called again all the same.

    Args:
      name: of the thread, for the log.
      act: called without arguments.
      period_s: seconds from the end of a call to the start of the next.
    """

    def __init__(self, name: str, act: Callable[[], None], period_s: float):
        self._act = act
        self._period_s = period_s
        self._due = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Starts the thread; the first call comes after one period."""
        self._thread.start()

    def soon(self) -> None:
        """Asks for a call that begins after this one; does not wait for it."""
        self._due.set()

    def stop(self) -> None:
        """Ends calling; does not wait for a call that runs."""
        self._ended = True
        self._due.set()

    def _run(self):
        while True:
            self._due.wait(self._period_s)
            self._due.clear()  # Before the call: what is asked for meanwhile comes after it.
            if self._ended:
                return
            try:
                self._act()
            except Exception:
                if not self._ended:  # The topics may be closed already.
                    _log.exception("%s failed; tried again", self._thread.name)
