"""Which frames are let in: not more often than asked for, not older than is of use."""

from typing import Optional

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
      clock_s: ROS time now; it may have jumped back, as with a looped bag.
    """
    age_s = stamp_age_s(stamp_s, clock_s)
    return max_age_s > 0 and age_s is not None and age_s > max_age_s


def stamp_age_s(stamp_s: float, clock_s: float) -> Optional[float]:
    """Returns how far a stamp lies behind the clock, or None if one of them tells no time.

    Args:
      stamp_s: a frame's stamp in seconds; 0 if the camera gives none.
      clock_s: ROS time now; 0 before the first message on ``/clock``.
    """
    return clock_s - stamp_s if stamp_s and clock_s else None
