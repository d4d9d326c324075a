"""Where TensorRT engines are kept: what was built once for a graph on this very GPU.

Building one takes minutes, so it is a command of its own, ``scripts/build_engine.py``; a node that
finds none runs without TensorRT and says so.
"""

import ctypes
import ctypes.util
import glob
import hashlib
import os
from typing import Optional, Tuple

_COMPLETE = "complete"
_BOARD = "/proc/device-tree/model"
_GPUS = "/proc/driver/nvidia/gpus/*/information"


def engine_folder(digest: str, precision: str, size: Optional[Tuple[int, int]]) -> str:
    """Returns the folder of a graph's engine on this machine.

    Args:
      digest: the graph's.
      precision: what the engine computes in.
      size: (height, width) of the network's input; None where it is open.

    Returns:
      A folder below ``~/.cache/semseg`` whose name holds graph, precision and size, and TensorRT's
      version and the GPU, because engines run on these alone.
    """
    machine = hashlib.sha256(("%s %s" % (tensorrt_version(), gpu_name())).encode()).hexdigest()
    shape = "open" if size is None else "%dx%d" % tuple(size)
    name = "-".join((digest[:16], precision, shape, machine[:8]))
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(cache, "semseg", "tensorrt", name)


def is_complete(folder: str) -> bool:
    """Whether a build in that folder ran to its end."""
    return os.path.exists(os.path.join(folder, _COMPLETE))


def mark_complete(folder: str) -> None:
    """Says that the build in that folder ran to its end."""
    with open(os.path.join(folder, _COMPLETE), "w"):
        pass


def tensorrt_version() -> str:
    """Returns the version of TensorRT's library as it numbers itself, '' without."""
    library = ctypes.util.find_library("nvinfer")
    try:
        return str(ctypes.CDLL(library).getInferLibVersion()) if library else ""
    except (OSError, AttributeError):
        return ""


def gpu_name() -> str:
    """Returns the names of the GPUs, or of the Jetson board, '' without either."""
    texts = []
    for path in sorted(glob.glob(_GPUS)) or glob.glob(_BOARD):
        with open(path, errors="replace") as file:
            lines = file.read().strip("\0").splitlines()
        texts += [line for line in lines if line.startswith("Model:")] or lines[:1]
    return " ".join(texts)
