"""What a run takes of the machine: time per step and memory."""

import os
import resource
import sys
from typing import Any

import keras
import numpy as np

WARM_UP_STEPS = 3
"""First steps of a process, which compile and allocate."""


class Usage:
    """Times of the steps of this process."""

    def __init__(self) -> None:
        self._seconds: list[float] = []

    def add(self, seconds: float) -> None:
        """Adds the duration of a step."""
        self._seconds.append(seconds)

    def summary(self) -> dict[str, Any]:
        """Returns what ``usage.json`` says; the median leaves out the first steps."""
        steady = self._seconds[WARM_UP_STEPS:] or self._seconds
        return {
            "peak_memory_mib": round(peak_memory_mib()),
            "median_step_seconds": round(float(np.median(steady)), 4) if steady else None,
            "timed_steps": len(steady),
            "backend": keras.backend.backend(),
            "processors": os.cpu_count(),
        }


def peak_memory_mib() -> float:
    """Returns the most memory of the host that this process has held, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
