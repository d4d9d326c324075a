"""What a camera's messages show of the camera: silence, a frozen image, another clock."""

from typing import Any, Optional

from semseg.node.admission import stamp_age_s

# What is behind by more is not slow: it bears the time of another clock.
MAX_STAMP_AGE_S = 10.0
MAX_STAMP_AHEAD_S = 1.0


class StreamWatch:
    """Observes one camera's messages.

    Attributes:
      last_arrival_s: monotonic clock at the newest message; None before the first.
      num_identical: how many messages in a row have had the same data as the newest.
      stamp_age_s: how far the newest stamp lay behind ROS time on arrival; None if it has none.
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

    def observe(self, message: Any, arrival_s: float, clock_s: float) -> None:
        """Takes a message in.

        Args:
          message: ``Image`` or ``CompressedImage``.
          arrival_s: monotonic clock, seconds.
          clock_s: ROS time, seconds.
        """
        # Costs nothing: noise makes the images of a living camera differ in their first bytes.
        repeated = message.data == self._data
        self.num_identical = self.num_identical + 1 if repeated else 0
        self._data = message.data
        self.last_arrival_s = arrival_s
        self.stamp_age_s = stamp_age_s(message.header.stamp.to_sec(), clock_s)
        self.frame_id = message.header.frame_id


def is_believable(stamp_age: Optional[float]) -> bool:
    """Returns whether a stamp that lies so far behind ROS time, in seconds, is of the same clock.

    Args:
      stamp_age: as ``StreamWatch.stamp_age_s``.
    """
    return stamp_age is not None and -MAX_STAMP_AHEAD_S <= stamp_age <= MAX_STAMP_AGE_S
