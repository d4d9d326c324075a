"""Counters and durations of one camera's frames."""

import threading
from collections import Counter, deque
from typing import Deque, Dict, Mapping

import numpy as np

RECEIVED = "received"
IDLE = "idle"
UNPAIRED = "unpaired"
LIMITED = "limited"
REPLACED = "replaced"
STALE = "stale"
MALFORMED = "malformed"
FAILED = "failed"
SEGMENTED = "segmented"
COUNTERS = (RECEIVED, IDLE, UNPAIRED, LIMITED, REPLACED, STALE, MALFORMED, FAILED, SEGMENTED)
"""Every received frame ends as one of the others: nobody listened when it came (idle), no second
image had its stamp (unpaired; of models with two inputs only), it came sooner than ``~max_rate``
allows (limited), a newer one took its place (replaced), it was older than ``~max_age`` (stale), it
could not be read (malformed), the engine could not run on it (failed), or it was segmented."""
DROPS = COUNTERS[1:-1]
"""The counters of frames that were not answered."""

AGE = "age"
"""Milliseconds from the arrival of a frame to the publication of its labels."""
END_TO_END = "end_to_end"
"""Milliseconds from the stamp of a frame to the publication of its labels, in ROS time; only
of frames whose stamp is believable."""

_WINDOW = 300


class CameraStatistics:
    """Counts frames and keeps the durations of the last ones; safe to use from any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts: Dict[str, int] = Counter()
        self._durations_ms: Dict[str, Deque[float]] = {}

    def count(self, name: str) -> None:
        """Adds one frame to a counter, one of ``COUNTERS``."""
        with self._lock:
            self._counts[name] += 1

    def add_durations(self, durations_ms: Mapping[str, float]) -> None:
        """Adds the durations of one frame's steps, in milliseconds."""
        with self._lock:
            for name, value in durations_ms.items():
                self._durations_ms.setdefault(name, deque(maxlen=_WINDOW)).append(value)

    @property
    def counts(self) -> Dict[str, int]:
        """All counters by name."""
        with self._lock:
            return {name: self._counts[name] for name in COUNTERS}

    def percentiles_ms(self, percentile: float) -> Dict[str, float]:
        """Returns that percentile of each step's last durations, in milliseconds."""
        with self._lock:
            return {
                name: float(np.percentile(values, percentile))
                for name, values in self._durations_ms.items()
            }
