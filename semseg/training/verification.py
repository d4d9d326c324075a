"""Runs a frozen graph in a fresh process and compares its labels with the network's."""

import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

from semseg.errors import GraphError
from semseg.runtime.geometry import resize_image

logger = logging.getLogger(__name__)

MAX_DIFFERENT = 0.001
"""Share of the pixels whose label may differ: ties that float rounding breaks otherwise."""

# A fresh process sees the file alone: no variable, layer or cache of this one can help it.
_LABEL_IMAGES = """
import sys
import numpy as np
from semseg.runtime import Segmenter
graph, images, labels = sys.argv[1:]
images = np.load(images)
segmenter = Segmenter.load(graph, engine="tensorflow", input_size=images.shape[1:3])
np.save(labels, [segmentation.labels for segmentation in segmenter.segment_batch(images)])
"""


def verify(graph: Path, model: keras.Model, images: np.ndarray, size: tuple[int, int]) -> None:
    """Compares a frozen graph with the model that it was made of.

    Args:
      graph: the graph's file.
      model: gives logits.
      images: real images, uint8 [N, H, W, 3].
      size: (height, width) at which both are run.

    Raises:
      GraphError: the graph does not run, or labels more than 0.1 % of the pixels otherwise.
    """
    images = np.stack([resize_image(image, size) for image in images])
    # One at a time, as the robot does: a batch may be summed in another order.
    logits = [model.predict_on_batch(image[np.newaxis].astype(np.float32))[0] for image in images]
    expected = np.argmax(logits, axis=-1).astype(np.uint8)
    different = float(np.mean(_labels_in_fresh_process(graph, images) != expected))
    logger.info("%s: labels differ from the checkpoint's on %.4f %%", graph, 100 * different)
    if different > MAX_DIFFERENT:
        raise GraphError(
            f"the frozen graph labels {100 * different:.2f} % of the pixels otherwise than the "
            f"checkpoint does, at most {100 * MAX_DIFFERENT} % may differ; no file was written"
        )


def _labels_in_fresh_process(graph: Path, images: np.ndarray) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "images.npy"), Path(folder, "labels.npy")
        np.save(source, images)
        command = [sys.executable, "-c", _LABEL_IMAGES, str(graph), str(source), str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            cause = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise GraphError(f"the frozen graph does not run in a fresh process: {cause}")
        return np.load(result)
