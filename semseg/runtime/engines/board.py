"""What computer this is, where an engine must know."""

_COMPATIBLE = "/proc/device-tree/compatible"
_TX2 = b"nvidia,tegra186"


def is_jetson_tx2(compatible: str = _COMPATIBLE) -> bool:
    """Whether this is a Jetson TX2, by the device tree that its kernel shows.

    Args:
      compatible: file of zero-terminated names, the board's first, its chip's after it.
    """
    try:
        with open(compatible, "rb") as file:
            return _TX2 in file.read().split(b"\0")
    except OSError:
        return False
