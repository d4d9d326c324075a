"""Writes the second inputs of a prepared dataset, beside its images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from semseg.data.declarations.second_config import UNITS_PER_PIXEL
from semseg.data.samples.samples import Sample
from semseg.data.samples.second import replaced
from semseg.files import encode_png
from semseg.runtime.images.geometry import resize_labels

_RIGHT, _RIGHT_LABELS = {"images/": "right/"}, {"labels/": "right_labels/"}
_DISPARITY = {"images/": "disparity/", ".jpg": ".png"}


def encode_second(
    sample: Sample,
    downscale: int,
    encode_image: Callable[[np.ndarray], bytes],
    encode_labels: Callable[[np.ndarray], bytes],
) -> dict[str, bytes]:
    """Encodes what a sample has beside image and labels.

    Args:
      sample: the sample.
      downscale: what height and width are divided by.
      encode_image: returns the file of an image, downscaled.
      encode_labels: returns the file of labels, downscaled.

    Returns:
      Field of ``EncodedSample`` -> content.
    """
    second, right_labels = sample.read_second(), sample.read_right_labels()
    parts = {}
    if second is not None and second.dtype == np.uint8:
        parts["right"] = encode_image(second)
    elif second is not None:
        parts["disparity"] = encode_png(_small_disparity(second[..., 0], downscale))
    if right_labels is not None:
        parts["right_labels"] = encode_labels(right_labels)
    return parts


def second_paths(image_path: str, label_path: str) -> dict[str, str | None]:
    """Returns where a tree has them: field of ``EncodedSample`` -> path.

    Args:
      image_path: of the image in the prepared dataset.
      label_path: of its labels.
    """
    return {
        "right": replaced(image_path, _RIGHT),
        "right_labels": replaced(label_path, _RIGHT_LABELS),
        "disparity": replaced(image_path, _disparity_of(image_path)),
    }


def second_declaration(output: Path, image_format: str) -> dict[str, Any]:
    """Returns the key ``second`` of a prepared dataset's declaration, for what was written."""
    second: dict[str, Any] = {}
    if (output / "right").is_dir():
        labels = _RIGHT_LABELS if (output / "right_labels").is_dir() else None
        second["right"] = {"replace": _RIGHT, "replace_labels": labels}
    if (output / "disparity").is_dir():
        second["disparity"] = {"replace": _disparity_of(f".{image_format}")}
    return {"second": second} if second else {}


def _disparity_of(image_path: str) -> dict[str, str]:
    """Returns what makes the path of a disparity of an image's: its folder, and PNG for JPEG."""
    is_jpeg = image_path.endswith(".jpg")
    return {old: new for old, new in _DISPARITY.items() if old != ".jpg" or is_jpeg}


def _small_disparity(disparity: np.ndarray, factor: int) -> np.ndarray:
    """Returns the middle of each block in pixels of the small image, uint16; known is not 0."""
    height, width = (side // factor for side in disparity.shape)
    small = resize_labels(disparity[: height * factor, : width * factor], (height, width))
    values = np.clip(np.rint(small * (UNITS_PER_PIXEL / factor)), 1, 65535)
    return np.where(small > 0, values, 0).astype(np.uint16)
