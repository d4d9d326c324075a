"""A camera's stream of messages: which are let in, and what they show of the camera.

Frames are refused that come more often than asked for or are older than is of use. Silence, a
frozen image and the stamps of another clock are noticed.
"""

from typing import Any, Optional

from semseg.node.ports import Facts

# A camera is never quite regular: a frame that comes this part of a period early is in time.
SLACK = 0.25


class RateLimit:
    """Lets at most so many frames a second pass, on the average.

    Args:
      max_rate_hz: the limit; 0 lets all pass.
    """

    def __init__(self, max_rate_hz: float):
        self._period_s = 1.0 / max_rate_hz if max_rate_hz else 0.0
        self._due_s = float("-inf")

    def passes(self, now_s: float) -> bool:
        """Returns whether a frame that arrives now may pass; ``now_s`` is a monotonic clock's."""
        if now_s < self._due_s - SLACK * self._period_s:
            return False
        # From when it was due, not from now: a 30 Hz camera limited to 20 Hz gives 20, not 15.
        if now_s - self._due_s > self._period_s:
            self._due_s = now_s
        self._due_s += self._period_s
        return True


def is_stale(max_age_s: float, stamp_s: float, clock_s: float) -> bool:
    """Returns whether a frame is too old to be of use.

    Args:
      max_age_s: the limit in seconds; 0 accepts any age.
      stamp_s: the frame's stamp; 0 means that the camera gives none.
      clock_s: the middleware's time now; it may have jumped back, as with a looped bag.
    """
    age_s = stamp_age_s(stamp_s, clock_s)
    return max_age_s > 0 and age_s is not None and age_s > max_age_s


def stamp_age_s(stamp_s: float, clock_s: float) -> Optional[float]:
    """Returns how far a stamp lies behind the clock, or None if one of them tells no time.

    Args:
      stamp_s: a frame's stamp in seconds; 0 if the camera gives none.
      clock_s: the middleware's time now; 0 before there is any.
    """
    return clock_s - stamp_s if stamp_s and clock_s else None


# What is behind by more is not slow: it bears the time of another clock.
MAX_STAMP_AGE_S = 10.0
MAX_STAMP_AHEAD_S = 1.0


class StreamWatch:
    """Observes one camera's messages.

    Attributes:
      last_arrival_s: monotonic clock at the newest message; None before the first.
      num_identical: how many messages in a row have had the same data as the newest.
      stamp_age_s: how far the newest stamp lay behind the clock on arrival; None if it has none.
      frame_id: that of the newest message.
    """

    def __init__(self):
        self.reset()

    def reset(self) -> None:
        """Forgets what was seen: the subscription begins anew."""
        self.last_arrival_s: Optional[float] = None
        self.num_identical = 0
        self.stamp_age_s: Optional[float] = None
        self.frame_id = ""
        self._data: Any = None

    def observe(self, facts: Facts, arrival_s: float, clock_s: float) -> None:
        """Takes a message in.

        Args:
          facts: what it says beside its pixels.
          arrival_s: monotonic clock, seconds.
          clock_s: the middleware's clock, seconds.
        """
        # Costs nothing: noise makes the images of a living camera differ in their first bytes.
        repeated = facts.data == self._data
        self.num_identical = self.num_identical + 1 if repeated else 0
        self._data = facts.data
        self.last_arrival_s = arrival_s
        self.stamp_age_s = stamp_age_s(facts.stamp_s, clock_s)
        self.frame_id = facts.frame_id


def is_believable(stamp_age: Optional[float]) -> bool:
    """Returns whether a stamp that lies so far behind the clock, in seconds, is of the same clock.

    Args:
      stamp_age: as ``StreamWatch.stamp_age_s``.
    """
    return stamp_age is not None and -MAX_STAMP_AHEAD_S <= stamp_age <= MAX_STAMP_AGE_S
