"""The pinhole camera.

World axes are those of the optical frame of a camera that looks straight down the street:
x right, y down, z forward, metres. The road is the plane y = 0, so heights are negative y.
Integer pixel coordinates are pixel centres.
"""

from typing import NamedTuple, Tuple

import numpy as np

Size = Tuple[int, int]

FOCAL_LENGTH = 0.9
"""Focal length in image widths: 58 degrees of horizontal view at every image size."""


class Camera(NamedTuple):
    """A camera at one instant.

    Attributes:
      size: (height, width) of its image, pixels.
      intrinsics: K, float64 (3, 3).
      pose: camera-to-world transform, float64 (4, 4).
    """

    size: Size
    intrinsics: np.ndarray
    pose: np.ndarray

    @property
    def position(self) -> np.ndarray:
        """Optical centre in the world, float64 (3,), metres."""
        return self.pose[:3, 3]

    @property
    def rotation(self) -> np.ndarray:
        """World-to-camera rotation, float64 (3, 3)."""
        return self.pose[:3, :3].T

    @property
    def rays(self) -> np.ndarray:
        """Takes a pixel (x, y, 1) to the world direction seen there, at depth 1; (3, 3)."""
        focal, _, x = self.intrinsics[0]
        y = self.intrinsics[1, 2]
        return self.pose[:3, :3] @ np.array([[1, 0, -x], [0, 1, -y], [0, 0, focal]]) / focal


def intrinsics(size: Size) -> np.ndarray:
    """Returns K, float64 (3, 3), for an image size: square pixels, centred principal point."""
    height, width = size
    focal = FOCAL_LENGTH * width
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])


def pose(position: np.ndarray, yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Builds a camera-to-world transform, float64 (4, 4).

    Args:
      position: optical centre, metres.
      yaw: turn to the right about the vertical, radians.
      pitch: turn upwards about the camera's x axis, radians.
      roll: turn clockwise about the optical axis, radians.
    """
    transform = np.eye(4)
    transform[:3, :3] = _turn(yaw, 2, 0) @ _turn(pitch, 1, 2) @ _turn(roll, 0, 1)
    transform[:3, 3] = position
    return transform


def _turn(angle: float, first: int, second: int) -> np.ndarray:
    """Rotation by ``angle`` that carries axis ``first`` towards axis ``second``."""
    rotation = np.eye(3)
    rotation[first, first] = rotation[second, second] = np.cos(angle)
    rotation[second, first] = np.sin(angle)
    rotation[first, second] = -np.sin(angle)
    return rotation
