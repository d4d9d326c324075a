"""Where things of one image were in the image before."""

import cv2
import numpy as np

from semseg.runtime.images.geometry import Size, resize_image

_WIDTH = 256
"""Flow is computed at most that wide: quick, and enough to follow what labels can show."""


def flow_size(image_size: Size) -> Size:
    """Returns the (height, width) that flow of images of a size is computed at."""
    height, width = image_size
    scale = min(1.0, _WIDTH / width)
    return max(16, round(height * scale)), max(16, round(width * scale))


def gray_for_flow(image: np.ndarray) -> np.ndarray:
    """Returns an image, uint8 (H, W, 3) RGB, as flow wants it: grey and small, uint8 (h, w)."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return resize_image(gray, flow_size((gray.shape[0], gray.shape[1])), "area")


class OpticalFlow:
    """Dense flow, and where it is to be trusted.

    Sources: Kroeger et al. 2016, "Fast optical flow using dense inverse search" (DIS); Sundaram,
    Brox and Keutzer 2010, "Dense point trajectories by GPU-accelerated large displacement optical
    flow", equation 5: flow there and back must end where it began, else the point is hidden in
    one of the images.
    """

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._grids: dict[Size, np.ndarray] = {}

    def origins(self, before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Finds where each pixel was in the image before.

        Args:
          before: grey image, uint8 (h, w), from ``gray_for_flow``.
          now: the next one, of the same size.

        Returns:
          The column and row in ``before`` of each pixel of ``now``, float32 (h, w, 2); and which
          of them were to be seen there, bool (h, w).
        """
        back = self._dis.calc(now, before, None)
        forth = self._dis.calc(before, now, None)
        origins = self._grid((now.shape[0], now.shape[1])) + back
        returned = back + cv2.remap(forth, origins, None, cv2.INTER_LINEAR)
        length = _squared(back) + _squared(returned - back)
        seen = _squared(returned) <= 0.01 * length + 0.5
        height, width = now.shape
        columns, rows = origins[..., 0], origins[..., 1]
        inside = (columns >= -0.5) & (columns < width - 0.5) & (rows >= -0.5)
        return origins, seen & inside & (rows < height - 0.5)

    def _grid(self, size: Size) -> np.ndarray:
        """Returns the column and row of each pixel, float32 (h, w, 2)."""
        if size not in self._grids:
            rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
            self._grids = {size: np.dstack([columns, rows])}
        return self._grids[size]


def _squared(vectors: np.ndarray) -> np.ndarray:
    """Returns the squared length of vectors, (h, w, 2) -> (h, w)."""
    found: np.ndarray = np.einsum("hwc,hwc->hw", vectors, vectors)
    return found
