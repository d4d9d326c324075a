"""Frames: a camera drives through scenes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from semseg.errors import ConfigError, unknown_name
from semseg.town.camera import Camera, Size, intrinsics, pose
from semseg.town.render import render
from semseg.town.scene import Scene

SIZE: Size = (256, 512)

BASELINE = 0.3
"""Distance of the right camera from the left one, along its x axis, metres."""

_SCENES_KEPT = 256
"""Scenes kept for later frames, about 1.3 MB each: all of a split, so that a shuffled epoch builds
each of them once. Building one costs more than rendering a frame of it."""


class Frame(NamedTuple):
    """One frame of a drive.

    Attributes:
      name: unique within the town, such as 'train/0007_03'.
      stamp: seconds since the drive began.
      image: uint8 (H, W, 3), RGB.
      labels: uint8 (H, W), ids of ``TOWN_CLASSES``.
      depth: float32 (H, W), metres along the optical axis; inf where the sky is.
      intrinsics: K, float64 (3, 3); integer pixel coordinates are pixel centres.
      pose: camera-to-world, float64 (4, 4); world axes x right, y down, z along the street.
    """

    name: str
    stamp: float
    image: np.ndarray
    labels: np.ndarray
    depth: np.ndarray
    intrinsics: np.ndarray
    pose: np.ndarray

    @property
    def disparity(self) -> np.ndarray:
        """How far left of its place here a point is in ``right_image``, pixels; 0 for the sky.

        float32 (H, W), exact: focal length * ``BASELINE`` / depth.
        """
        return np.float32(self.intrinsics[0, 0] * BASELINE) / self.depth


class _Split(NamedTuple):
    """Scenes of a split, and how a drive through each is cut into frames."""

    number: int
    scenes: int
    frames: int
    period: float


_SPLITS = {
    "train": _Split(number=0, scenes=200, frames=10, period=1.3),
    "val": _Split(number=1, scenes=30, frames=4, period=2.1),
    "demo": _Split(number=2, scenes=4, frames=50, period=0.1),
}
_OWN_SEEDS = 3
"""Where scenes that are asked for by number have their seeds, apart from all splits."""

SPLITS = {name: split.scenes * split.frames for name, split in _SPLITS.items()}
"""Number of frames of each split."""


def frame(split: str, index: int, size: Size = SIZE) -> Frame:
    """Renders one frame of a split.

    Args:
      split: a key of SPLITS; no scene is in two of them.
      index: 0..SPLITS[split] - 1; neighbours mostly share a scene.
      size: (height, width) in pixels; the view's width in degrees is the same at all sizes.

    Returns:
      The frame; the same arguments always give the same bytes.

    Raises:
      ConfigError: unknown split, or an index outside of it.
    """
    scene, name, time = _place(split, index)
    return _frame(scene, name, time, size)


def right_frame(split: str, index: int, size: Size = SIZE) -> Frame:
    """Renders what the right camera of a stereo pair sees while ``frame`` is taken.

    The pair is rectified: both look the same way, ``BASELINE`` apart.

    Args:
      split: see ``frame``.
      index: see ``frame``.
      size: see ``frame``.

    Returns:
      The frame of the right camera; its name is that of the left one's.

    Raises:
      ConfigError: see ``frame``.
    """
    scene, name, time = _place(split, index)
    return _frame(scene, name, time, size, offset=BASELINE)


def drive(
    seed_or_split: int | str, frames: int, rate_hz: float = 10.0, size: Size = SIZE
) -> Iterator[Frame]:
    """Drives through one scene.

    Args:
      seed_or_split: a number gives a scene of its own that is in no split; the name of a
        split gives its first scene.
      frames: how many.
      rate_hz: frames per second.
      size: (height, width) in pixels.

    Yields:
      Frames with stamps 0, 1 / rate_hz, ... seconds.

    Raises:
      ConfigError: unknown split.
    """
    if isinstance(seed_or_split, str):
        scene = _scene((_split(seed_or_split).number, 0))
    else:
        scene = _scene((_OWN_SEEDS, seed_or_split))
    for step in range(frames):
        yield _frame(scene, f"drive_{seed_or_split}/{step:05d}", step / rate_hz, size)


def camera_at(scene: Scene, time: float, size: Size) -> Camera:
    """Returns the camera of a drive: in its lane, along the bends, swaying a little."""
    z = scene.speed * time
    middle, slope = scene.path.smooth(z)
    sway = 0.12 * np.sin(0.5 * time + scene.seed[-1])
    x = middle + scene.style.drive_side * scene.style.lane + sway
    bounce = np.sin(np.array([5.1, 3.3, 2.3]) * time + scene.seed[-1])
    position = np.array([x, -scene.camera_height + 0.008 * bounce[0], z])
    turn = pose(position, np.arctan(slope), -0.015 + 0.003 * bounce[1], 0.003 * bounce[2])
    return Camera(size, intrinsics(size), turn)


def _place(split: str, index: int) -> tuple[Scene, str, float]:
    """Returns the scene of a frame of a split, its name and its time."""
    part = _split(split)
    if not 0 <= index < SPLITS[split]:
        raise ConfigError(f"town frame {split}/{index}: expected 0..{SPLITS[split] - 1}")
    scene_index, step = divmod(index, part.frames)
    name = f"{split}/{scene_index:04d}_{step:02d}"
    return _scene((part.number, scene_index)), name, step * part.period


def _frame(scene: Scene, name: str, time: float, size: Size, offset: float = 0.0) -> Frame:
    """Renders a frame, ``offset`` metres to the right of the drive's camera."""
    camera = camera_at(scene, time, size)
    camera.pose[:3, 3] += offset * camera.pose[:3, 0]
    image, labels, depth = render(scene, camera, time)
    return Frame(name, time, image, labels, depth, camera.intrinsics, camera.pose)


@lru_cache(maxsize=_SCENES_KEPT)
def _scene(seed: tuple[int, ...]) -> Scene:
    return Scene(seed)


def _split(name: str) -> _Split:
    if name not in _SPLITS:
        raise ConfigError(unknown_name("town split", name, _SPLITS))
    return _SPLITS[name]
