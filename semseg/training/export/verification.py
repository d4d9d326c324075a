"""Runs a frozen graph in a fresh process and compares its labels with the network's."""

import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

from semseg.errors import GraphError
from semseg.runtime.graph.card import SQUASH
from semseg.runtime.images.geometry import Fit
from semseg.training.inputs import network_inputs

logger = logging.getLogger(__name__)

MAX_DIFFERENT = 0.001
"""Share of the pixels whose label may differ: ties that float rounding breaks otherwise."""

# A fresh process sees the file alone: no variable, layer or cache of this one can help it.
_LABEL_IMAGES = """
import sys
import numpy as np
from semseg.runtime import Segmenter
graph, inputs, labels = sys.argv[1:]
with np.load(inputs) as arrays:
    pairs = list(zip(*arrays.values()))
segmenter = Segmenter.load(graph, engine="tensorflow", input_size=pairs[0][0].shape[:2])
np.save(labels, [segmenter.segment(*pair).labels for pair in pairs])
"""


def verify(
    graph: Path,
    model: keras.Model,
    images: np.ndarray,
    size: tuple[int, int],
    *,
    seconds: np.ndarray | None = None,
    head: str | None = None,
) -> None:
    """Compares a frozen graph with the model that it was made of.

    Args:
      graph: the graph's file.
      model: gives logits, or logits by head.
      images: real images, uint8 [N, H, W, 3].
      size: (height, width) at which both are run.
      seconds: what a second input sees, uint8 [N, H, W, 3] or float32 [N, H, W, 1].
      head: the graph's default head; None with one.

    Raises:
      GraphError: the graph does not run, or labels more than 0.1 % of the pixels otherwise.
    """
    inputs = _resized(images, size, seconds)
    # One at a time, as the robot does: a batch may be summed in another order.
    expected = [_labels(model, head, *(array[np.newaxis] for array in pair)) for pair in inputs]
    different = float(np.mean(_labels_in_fresh_process(graph, inputs) != np.stack(expected)))
    logger.info("%s: labels differ from the checkpoint's on %.4f %%", graph, 100 * different)
    if different > MAX_DIFFERENT:
        raise GraphError(
            f"the frozen graph labels {100 * different:.2f} % of the pixels otherwise than the "
            f"checkpoint does, at most {100 * MAX_DIFFERENT} % may differ; no file was written"
        )


def _resized(
    images: np.ndarray, size: tuple[int, int], seconds: np.ndarray | None
) -> list[tuple[np.ndarray, ...]]:
    _, height, width, _ = images.shape
    fit = Fit.create((height, width), size, SQUASH)
    resized = [fit.apply(image) for image in images]
    if seconds is None:
        return [(image,) for image in resized]
    is_disparity = seconds.shape[-1] == 1
    others = [fit.apply_disparity(x[..., 0]) if is_disparity else fit.apply(x) for x in seconds]
    return list(zip(resized, others, strict=True))


def _labels(model: keras.Model, head: str | None, *inputs: np.ndarray) -> np.ndarray:
    """Returns the labels uint8 [H, W] of one image, a batch of one."""
    logits = model.predict_on_batch(network_inputs(model, *inputs))
    logits = logits if head is None else logits[head]
    return np.argmax(logits[0], axis=-1).astype(np.uint8)


def _labels_in_fresh_process(graph: Path, inputs: list[tuple[np.ndarray, ...]]) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "inputs.npz"), Path(folder, "labels.npy")
        # A disparity is [H, W, 1] for the network, [H, W] for the segmenter.
        arrays = [
            np.stack([array.squeeze(-1) if array.shape[-1] == 1 else array for array in kind])
            for kind in zip(*inputs)
        ]
        np.savez(source, *arrays)
        command = [sys.executable, "-c", _LABEL_IMAGES, str(graph), str(source), str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            cause = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise GraphError(f"the frozen graph does not run in a fresh process: {cause}")
        return np.load(result)
