"""What kind of label file a file is: ids, palette indices or colours."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from semseg.data.files.pixels import StoredLabels, read_stored_labels

Color = tuple[int, ...]


class LabelKind(NamedTuple):
    """What a label file stores.

    Attributes:
      name: the decode rule that it looks made for: ``palette``, ``gray8``, ``uint16`` or ``rgb``.
      ids: the ids that occur; none of a file of colours.
      colors: the RGB colours that occur: of a grey file equal channels, of a palette its own.
      palette: the RGB colour of each index, of a palette.
    """

    name: str
    ids: frozenset[int]
    colors: frozenset[Color]
    palette: tuple[Color, ...] = ()


def label_kind(path: str | Path) -> LabelKind:
    """Looks at a label file.

    Args:
      path: the file.

    Returns:
      Its kind; equal colour channels are one of ids.

    Raises:
      ImageError: the file cannot be read, or stores nothing that labels could be.
    """
    stored = read_stored_labels(path)
    if stored.palette is not None:
        used = np.unique(stored.pixels)
        palette = tuple(map(tuple, stored.palette.tolist()))
        colors = frozenset(palette[index] for index in used if index < len(palette))
        return LabelKind("palette", frozenset(used.tolist()), colors, palette)
    return _kind_without_palette(stored)


def _kind_without_palette(stored: StoredLabels) -> LabelKind:
    pixels = stored.pixels
    if pixels.ndim == 3:
        if np.ptp(pixels[..., :3], axis=2).any():
            colors = np.unique(pixels[..., :3].reshape(-1, 3), axis=0)
            return LabelKind("rgb", frozenset(), frozenset(map(tuple, colors.tolist())))
        pixels = pixels[..., 0]
    ids = frozenset(np.unique(pixels).tolist())
    colors = frozenset((value, value, value) for value in ids if value <= np.iinfo(np.uint8).max)
    return LabelKind("gray8" if pixels.dtype == np.uint8 else "uint16", ids, colors)
