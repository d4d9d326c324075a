"""The processor: its instruction set, and the kernels that TensorFlow uses on it."""

import logging
import os
import platform

_log = logging.getLogger(__name__)

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
"""Read by TensorFlow 2.5 and later when it is imported; 1.15 knows nothing of it."""
_SETS = (
    ("avx512f", "AVX-512"),
    ("avx2", "AVX2"),
    ("avx", "AVX"),
    ("sse4_2", "SSE4.2"),
    ("asimd", "NEON"),
)


def prefer_onednn() -> bool:
    """Switches TensorFlow's oneDNN kernels on, unless the environment says otherwise.

    To be called before TensorFlow is imported. TensorFlow leaves them off on processors without
    AVX-512, where training takes up to 2.8 times as long without them.

    Returns:
      Whether they are on.
    """
    is_on = os.environ.setdefault(ONEDNN, "1") not in ("0", "false")
    _log.info(
        "oneDNN is %s (%s=%s), on %s", "on" if is_on else "off", ONEDNN, os.environ[ONEDNN],
        instruction_set(),
    )  # fmt: skip
    return is_on


def instruction_set(cpuinfo: str = "/proc/cpuinfo") -> str:
    """Returns the widest vector instructions of the processor, such as ``AVX-512`` or ``NEON``.

    Args:
      cpuinfo: the file in which Linux describes the processor.

    Returns:
      The set's name, or the machine's architecture where the file says nothing.
    """
    try:
        with open(cpuinfo) as file:
            words = set(file.read().split())
    except OSError:
        words = set()
    for flag, name in _SETS:
        if flag in words:
            return name
    return platform.machine() or "an unknown processor"
