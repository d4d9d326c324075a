"""Stops a loop at the end of a step when the process is asked to end."""

import logging
import signal
from types import FrameType, TracebackType
from typing import Any

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Context in which the first SIGINT or SIGTERM sets ``requested``.

    The second one acts as it did before the context: Ctrl-C twice ends the process at once.

    Attributes:
      requested: whether a signal came.
    """

    def __init__(self) -> None:
        self.requested = False
        self._former: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        """Takes the signals over."""
        self._former = {number: signal.signal(number, self._request) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Gives the signals back."""
        self._give_back()

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._give_back()
        logger.info("%s: saving at the end of this step", signal.Signals(number).name)

    def _give_back(self) -> None:
        for number, action in self._former.items():
            signal.signal(number, action)
