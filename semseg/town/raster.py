"""The z-buffer: which surface is seen at each pixel, how far away, and its colour there.

A texture coordinate t = (u, v, 1) lies at the point F t of the world (``Surfaces.frames``), hence
at the pixel p = (x, y, 1) with z p = H t, H = K [R | -RC] F, z being the depth. So t / z = H^-1 p:
one matrix gives both the texture coordinate, by division, and in its last row the inverse
depth, which is linear in x and y. No vertex is ever interpolated, and depth is exact.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from semseg.town.camera import Camera, Size
from semseg.town.surface import Surfaces

NEAR = 0.3
"""Nothing nearer than this is drawn, metres."""

OPAQUE = 120
"""Alpha from which a texel hides what is behind it. A little under half, so that the edges of
neighbouring surfaces, where alpha is filtered to a half, close without a gap."""

_OPAQUE_PIXEL = np.uint32(OPAQUE << 24)
"""The least RGBA pixel, as a number, whose alpha is that."""

SMALLEST = 0.8
"""Surfaces that cover fewer pixels than this, per side, are left out."""

BACKGROUND = 0
"""The id of pixels that no surface covers. Surface number i has the id i + 1."""

_EDGE_ON = 1e-6
"""Determinants of homographies smaller than this are of surfaces seen on their edge."""

SAMPLING = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

_CORNERS = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]], np.float64)


class Buffers(NamedTuple):
    """What the rasteriser leaves per pixel.

    Attributes:
      albedo: uint8 (H, W, 4), texture colour; the fourth channel means nothing.
      inverse_depth: float32 (H, W), 1/metres along the optical axis; 0 at infinity.
      ids: uint16 (H, W), ``BACKGROUND`` or 1 + the number of the surface.
    """

    albedo: np.ndarray
    inverse_depth: np.ndarray
    ids: np.ndarray


class Projected(NamedTuple):
    """Parallelograms on the screen, those that can be seen, M of N.

    Attributes:
      numbers: int (M,), which of the N.
      inverses: float64 (M, 3, 3), H^-1.
      boxes: int (M, 4), bounds in pixels: x0, y0, x1, y1.
      extents: float64 (M, 2), lengths in pixels of the sides along u and along v.
      nearest: float64 (M,), greatest inverse depth.
    """

    numbers: np.ndarray
    inverses: np.ndarray
    boxes: np.ndarray
    extents: np.ndarray
    nearest: np.ndarray

    def nearest_first(self) -> "Projected":
        """Returns the same in the order in which least is drawn in vain."""
        order = np.argsort(-self.nearest)
        return Projected(*(field[order] for field in self))


def empty_buffers(size: Size) -> Buffers:
    """Returns buffers in which everything is infinitely far away."""
    albedo = np.zeros((*size, 4), np.uint8)
    return Buffers(albedo, np.zeros(size, np.float32), np.full(size, BACKGROUND, np.uint16))


def rasterize(surfaces: Surfaces, camera: Camera, buffers: Buffers) -> None:
    """Draws surfaces into buffers, each pixel keeping what is nearest.

    Args:
      surfaces: what to draw, in any order.
      camera: whose size is that of the buffers.
      buffers: changed in place.
    """
    seen = project(surfaces.frames, surfaces.two_sided, camera).nearest_first()
    halvings = _halvings(surfaces.sizes[seen.numbers], seen.extents)
    textures = [
        surfaces.textures[number].reduced(*level)
        for number, level in zip(seen.numbers.tolist(), halvings.tolist())
    ]
    maps = texel_maps(seen, np.array([texture.shape[1::-1] for texture in textures]).reshape(-1, 2))
    across, down = _linear_parts(seen.inverses[:, 2], camera.size)
    # Fresh memory for each of hundreds of surfaces would cost more than to draw them.
    spare_depth = np.empty(camera.size[0] * camera.size[1], np.float32)
    spare_colors = np.empty(spare_depth.size, np.uint32)
    spare_mask = np.empty(spare_depth.size, bool)
    for i, (number, box) in enumerate(zip(seen.numbers.tolist(), seen.boxes.tolist())):
        x0, y0, x1, y1 = box
        shape = (y1 - y0, x1 - x0)
        inverse_depth = spare_depth[: shape[0] * shape[1]].reshape(shape)
        np.add(across[i, x0:x1], down[i, y0:y1], out=inverse_depth)
        nearer = inverse_depth > buffers.inverse_depth[y0:y1, x0:x1]
        left, top, width, height = cv2.boundingRect(nearer.view(np.uint8))
        if not width:
            continue
        if left or top:
            maps[i, :, 2] += maps[i, :, :2] @ (left, top)
        packed = spare_colors[: width * height].reshape(height, width)
        colors = packed.view(np.uint8).reshape(height, width, 4)
        cv2.warpPerspective(textures[i], maps[i], (width, height), dst=colors, flags=SAMPLING)
        part = (slice(top, top + height), slice(left, left + width))
        visible = spare_mask[: width * height].reshape(height, width)
        np.greater_equal(packed, _OPAQUE_PIXEL, out=visible)
        visible &= nearer[part]
        mask = visible.view(np.uint8)
        window = (
            slice(y0 + top, y0 + top + height),
            slice(x0 + left, x0 + left + width),
        )
        cv2.copyTo(colors, mask, buffers.albedo[window])
        cv2.copyTo(inverse_depth[part], mask, buffers.inverse_depth[window])
        np.copyto(buffers.ids[window], number + 1, where=visible)


def _linear_parts(planes: np.ndarray, size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Splits a x + b y + c into a x, float32 (N, width), and b y + c, float32 (N, height, 1)."""
    across = planes[:, :1].astype(np.float32) * np.arange(size[1], dtype=np.float32)
    down = planes[:, 1:2] * np.arange(size[0]) + planes[:, 2:]
    return across, down.astype(np.float32)[..., None]


def linear(plane: np.ndarray, size: Size) -> np.ndarray:
    """Evaluates what is linear on the screen, such as the inverse depth of a plane.

    Args:
      plane: its factors of (x, y, 1), (3,).
      size: of the image.

    Returns:
      float32, of that size.
    """
    across, down = _linear_parts(plane[None], size)
    return across + down[0]


def texel_maps(seen: Projected, sizes: np.ndarray) -> np.ndarray:
    """Maps pixels, counted from the corner of each box, to texels of each texture.

    Args:
      seen: M parallelograms.
      sizes: (M, 2), columns and rows of their textures.

    Returns:
      float64 (M, 3, 3), for ``cv2.warpPerspective`` with ``SAMPLING``.
    """
    maps = seen.inverses.copy()
    maps[:, :2] = maps[:, :2] * sizes[:, :, None] - 0.5 * maps[:, 2:]
    maps[:, :, 2] += np.einsum("nij,nj->ni", maps[:, :, :2], seen.boxes[:, :2])
    return maps


def _halvings(texels: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """How often to halve the sides of textures, int (N, 2), to come nearest to a size."""
    wanted = np.round(np.log2(texels / np.maximum(pixels, 1.0)))
    return np.clip(wanted, 0, np.floor(np.log2(texels))).astype(int)


def project(frames: np.ndarray, two_sided: np.ndarray, camera: Camera) -> Projected:
    """Finds where parallelograms lie on the screen.

    Args:
      frames: float64 (N, 3, 3), see ``Surfaces``.
      two_sided: bool (N,), which are seen from behind, too.
      camera: from where.

    Returns:
      Those of them that can be seen.
    """
    frames = frames.copy()
    frames[:, :, 2] -= camera.position
    homographies = (camera.intrinsics @ camera.rotation) @ frames
    adjugates, determinants = _adjugates(homographies)
    corners = homographies @ _CORNERS.T
    facing = (determinants > _EDGE_ON) | (two_sided & (determinants < -_EDGE_ON))
    numbers = np.flatnonzero(facing & (corners[:, 2].max(axis=1) > NEAR))
    boxes, extents, nearest = _bounds(corners[numbers], camera.size)
    area = boxes[:, 2:] > boxes[:, :2]
    kept = area.all(axis=1) & (extents > SMALLEST).all(axis=1)
    numbers = numbers[kept]
    inverses = adjugates[numbers] / determinants[numbers, None, None]
    return Projected(numbers, inverses, boxes[kept], extents[kept], nearest[kept])


def _adjugates(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns adjugates and determinants, by cross products, which here is faster than LAPACK."""
    a, b, c = matrices.transpose(2, 0, 1)
    rows = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
    return rows, np.einsum("ni,ni->n", a, rows[:, 0])


def _bounds(
    corners: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bounds surfaces on the screen, the part nearer than ``NEAR`` cut off.

    Args:
      corners: (N, 3, 4), the four corners as (zx, zy, z).
      size: of the image.

    Returns:
      Pixel boxes int (N, 4); lengths in pixels of the longer of the two horizontal and of
      the two vertical edges (N, 2); greatest inverse depth (N,).
    """
    following = np.roll(corners, -1, axis=2)
    fraction = (NEAR - corners[:, 2]) / np.where(
        corners[:, 2] == following[:, 2], np.inf, following[:, 2] - corners[:, 2]
    )
    crossings = corners + (following - corners) * fraction[:, None]
    crosses = (fraction > 0) & (fraction < 1)
    points = np.concatenate([corners, crossings], axis=2)
    valid = np.concatenate([corners[:, 2] >= NEAR, crosses], axis=1)
    depths = np.where(valid, points[:, 2], NEAR)
    screen = points[:, :2] / depths[:, None]
    low = np.where(valid[:, None], screen, np.inf).min(axis=2)
    high = np.where(valid[:, None], screen, -np.inf).max(axis=2)
    limits = np.array([size[1], size[0]], np.float64)
    low_pixels = np.clip(np.floor(low), 0, limits)
    high_pixels = np.clip(np.ceil(high) + 1, 0, limits)
    boxes = np.concatenate([low_pixels, high_pixels], axis=1).astype(np.int64)
    edges = np.linalg.norm(np.roll(screen[..., :4], -1, axis=2) - screen[..., :4], axis=1)
    edges = np.where(crosses, 1e4, edges)
    extents = np.maximum(edges[:, :2], edges[:, 2:])
    nearest = 1 / np.where(valid, points[:, 2], np.inf).min(axis=1)
    return boxes, extents, nearest
