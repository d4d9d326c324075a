"""Which model labels: the full one while it holds the target rate, else the reduced one."""

import logging
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, Optional

import numpy as np

from semseg.node.models import Model

_log = logging.getLogger(__name__)

WINDOW = 10
"""The full model is left when the median of so many frames in a row takes too long."""
MARGIN = 0.8
"""It is taken again when it would need at most this part of the time that there is, ..."""
TRIALS = 3
"""... in so many trials in a row, ..."""
TRIAL_PERIOD_S = 5.0
"""... which are so many seconds apart."""


class RateKeeper:
    """Decides by measured durations whether the full model holds the target rate.

    Args:
      target_rate_hz: labels per second that each camera is to get; 0 accepts any rate.
      clock: gives the time in seconds.

    Attributes:
      uses_full: whether the full model holds it.
      measured_s: what the full model took when that was decided last.
    """

    def __init__(self, target_rate_hz: float, clock: Callable[[], float] = time.monotonic):
        self._period_s = 1.0 / target_rate_hz if target_rate_hz else float("inf")
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Begins anew with the full model: it is another one."""
        self.uses_full = True
        self.measured_s = 0.0
        self._window: Deque[float] = deque(maxlen=WINDOW)
        self._passed = 0
        self._last_trial_s = 0.0

    def add_frame(self, round_s: float) -> None:
        """Takes in what one frame of each camera took with the full model, in seconds."""
        self._window.append(round_s)
        median_s = float(np.median(self._window))
        if len(self._window) == WINDOW and median_s > self._period_s:
            self._decide(False, median_s)

    def add_trial(self, round_s: float) -> None:
        """Takes in what one frame of each camera would have taken with the full model."""
        self._passed = self._passed + 1 if round_s <= MARGIN * self._period_s else 0
        if self._passed == TRIALS:
            self._decide(True, round_s)

    def trial_due(self) -> bool:
        """Returns whether the full model is to be tried; true once per ``TRIAL_PERIOD_S``."""
        if self.uses_full or self._clock() - self._last_trial_s < TRIAL_PERIOD_S:
            return False
        self._last_trial_s = self._clock()
        return True

    def _decide(self, uses_full, measured_s):
        self.uses_full, self.measured_s = uses_full, measured_s
        self._window.clear()
        self._passed = 0
        self._last_trial_s = self._clock()


class Lineup:
    """The node's models, and which of them labels. Only the worker's thread changes it.

    Args:
      full: the model that labels unless the rate says otherwise.
      reduced: the model that labels when ``full`` does not hold the target rate, with the same
        classes; None without a target rate.
      target_rate_hz: labels per second that each camera is to get.
      announce: called with the model that labels from now on.
    """

    def __init__(
        self,
        full: Model,
        reduced: Optional[Model] = None,
        target_rate_hz: float = 0.0,
        announce: Callable[[Model], None] = lambda model: None,
    ):
        self._full = full
        self._reduced = reduced
        self._target_rate_hz = target_rate_hz
        self._keeper = RateKeeper(target_rate_hz if reduced is not None else 0.0)
        self._announce = announce

    @property
    def current(self) -> Model:
        """The model that labels."""
        if self._reduced is None or self._keeper.uses_full:
            return self._full
        return self._reduced

    @property
    def reduced(self) -> Optional[Model]:
        """The model that stands by."""
        return self._reduced

    @property
    def facts(self) -> Dict[str, Any]:
        """What ``/diagnostics`` shows of the models."""
        model = self.current
        facts = {name: getattr(model.segmenter, name) for name in ("digest", "engine", "precision")}
        facts["model"] = model.name
        if model.segmenter.refusals:
            facts["engine_refusals"] = "; ".join(map(str, model.segmenter.refusals))
        if model.segmenter.head is not None:
            facts["head"] = model.segmenter.head
        if self._reduced is not None:
            facts["target_rate_hz"] = self._target_rate_hz
        return facts

    @property
    def complaint(self) -> str:
        """Why the full model does not label; empty if it does."""
        if self.current is self._full:
            return ""
        return "%s takes %.0f ms per frame of every camera, too long for %g Hz: %s labels" % (
            self._full.name,
            1e3 * self._keeper.measured_s,
            self._target_rate_hz,
            self.current.name,
        )

    def swap(self, full: Model) -> None:
        """Puts another full model in the place of the one there is, and frees that."""
        former, self._full = self._full, full
        self._keeper.reset()
        self._announce(self.current)
        former.segmenter.close()

    def observe(
        self, frame_s: float, num_cameras: int, try_model: Callable[[Model], float]
    ) -> None:
        """Follows the target rate, after frames were answered.

        Args:
          frame_s: what a frame took, in seconds.
          num_cameras: how many cameras want labels.
          try_model: segments the frame once more, with another model, and throws the labels
            away; returns what the frame would have taken with it, in seconds.
        """
        if self._reduced is None:
            return
        before = self.current
        if self._keeper.uses_full:
            self._keeper.add_frame(frame_s * num_cameras)
        elif self._keeper.trial_due():
            self._keeper.add_trial(try_model(self._full) * num_cameras)
        if self.current is not before:
            _log.warning("%s", self.complaint or "%s labels again" % self.current.name)
            self._announce(self.current)
