"""Label files: from the pixels of a file to raw ids, and from raw ids to labels.

A raw id is what the file stores, a label is the network's index (see ``semseg.classes``).
Ids are looked up in a table, never compared one after the other and never interpolated.
"""

import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import cv2
import numpy as np
from PIL import Image

from semseg.classes import IGNORE
from semseg.data.color_tables import color_table_path, read_color_table
from semseg.data.specs import RAW_LIMITS, FolderSpec
from semseg.errors import DatasetError, ImageError

_LOG = logging.getLogger(__name__)

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_BIT_DEPTH = 24
_PNG_COLOR_TYPE = 25
_PALETTE = 3  # the colour type of a palette PNG
_JPEG_SIGNATURE = b"\xff\xd8"
_JPEG_SCAN, _JPEG_END = b"\xff\xda", b"\xff\xd9"


def read_image(path: str | Path) -> np.ndarray:
    """Reads a camera image, as it is stored (an EXIF orientation turns no image: labels have none).

    Args:
      path: the file; grey, palette, 16-bit and transparent images become 8-bit RGB.

    Returns:
      uint8 (H, W, 3) RGB.

    Raises:
      ImageError: a file that is missing, damaged, cut off or no image.
    """
    data = _read_bytes(path)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    return cv2.cvtColor(_decode(data, path, flags), cv2.COLOR_BGR2RGB)


def read_raw_ids(path: str | Path, decode: str) -> np.ndarray:
    """Reads the raw ids of a label file.

    Args:
      path: the file, in a lossless format.
      decode: name of a decode rule, one of ``RAW_LIMITS``.

    Returns:
      uint8, uint16 or (colours) uint32 (H, W).

    Raises:
      ImageError: a damaged file, or one whose pixels are not what the rule reads.
    """
    data = _read_bytes(path)
    if data.startswith(_JPEG_SIGNATURE):
        raise ImageError(f"{path}: labels cannot be JPEG, which changes ids; expected PNG")
    if decode == "palette":
        return _palette_indices(data, path)
    if decode != "rgb" and _is_palette_png(data):
        raise ImageError(
            f"{path}: is a palette PNG; the rule '{decode}' cannot read it, use palette"
        )
    pixels = _decode(data, path, cv2.IMREAD_UNCHANGED)
    return _RULES[decode](pixels, data, path)


def guess_decode(path: str | Path) -> str:
    """Returns the decode rule that a label file looks made for.

    Args:
      path: the file.

    Returns:
      ``palette``, ``gray8``, ``uint16`` or ``rgb``; equal colour channels are one of ids.

    Raises:
      ImageError: the file cannot be read.
    """
    data = _read_bytes(path)
    if _is_palette_png(data):
        return "palette"
    pixels = _decode(data, path, cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3 and np.ptp(pixels[..., :3], axis=2).any():
        return "rgb"
    return "uint16" if pixels.dtype == np.uint16 else "gray8"


class _Meaning(NamedTuple):
    """What raw ids mean: uint8 raw id -> label, and bool raw id -> whether it is declared."""

    labels: np.ndarray
    known: np.ndarray

    @classmethod
    def create(cls, limit: int, labels: Mapping[Any, int]) -> Self:
        meaning = cls(np.full(limit, IGNORE, np.uint8), np.zeros(limit, bool))
        raw_ids = np.array(list(labels), np.intp)
        meaning.labels[raw_ids] = list(labels.values())
        meaning.known[raw_ids] = True
        return meaning


class LabelDecoder:
    """Reads label files of one dataset as labels."""

    def __init__(self, spec: FolderSpec):
        self._spec = spec
        self._warned: set[int] = set()
        self._labels = _declared_labels(spec)
        self._limit = RAW_LIMITS[spec.decode_rule]
        self._color_tables: dict[Path, dict[int, int]] = {}
        if spec.color_table is None:
            self._meaning = _Meaning.create(self._limit, self._labels)

    def read(self, path: str | Path) -> np.ndarray:
        """Reads a label file; unknown raw ids become ``IGNORE`` and are logged, each once.

        Args:
          path: the file.

        Returns:
          labels, uint8 (H, W).

        Raises:
          ImageError: the file cannot be read by the dataset's rule.
          DatasetError: more unknown pixels than ``max_unknown_share``.
        """
        labels, unknown = self.read_and_count(path)
        share = sum(unknown.values()) / max(labels.size, 1)
        if share > self._spec.max_unknown_share:
            raise DatasetError(
                f"{path}: {share:.1%} of the pixels have unknown ids ({self.describe(unknown)}); "
                f"max_unknown_share of '{self._spec.name}' is {self._spec.max_unknown_share:.1%}"
            )
        news = {raw_id: count for raw_id, count in unknown.items() if raw_id not in self._warned}
        if news:
            self._warned.update(news)
            _LOG.warning("%s: unknown ids are ignored: %s", path, self.describe(news))
        return labels

    def read_and_count(self, path: str | Path) -> tuple[np.ndarray, dict[int, int]]:
        """Reads a label file, whatever it holds.

        Args:
          path: the file.

        Returns:
          labels, uint8 (H, W), and the pixel count of each unknown raw id.
        """
        raw_ids = read_raw_ids(path, self._spec.decode_rule)
        if self._spec.divisor > 1:
            raw_ids = raw_ids // self._spec.divisor
        meaning = self._meaning_of(Path(path))
        labels = meaning.labels[raw_ids]
        ignored = raw_ids[labels == IGNORE]
        unknown, counts = np.unique(ignored[~meaning.known[ignored]], return_counts=True)
        return labels, dict(zip(unknown.tolist(), counts.tolist(), strict=True))

    def describe(self, counts: dict[int, int]) -> str:
        """Says which raw ids occur how often, the most frequent first: ``37 (120 px), ...``."""
        frequent = sorted(counts.items(), key=lambda item: -item[1])[:10]
        text = ", ".join(f"{self._name(raw_id)} ({count} px)" for raw_id, count in frequent)
        return text + (f" and {len(counts) - 10} more" if len(counts) > 10 else "")

    def _meaning_of(self, path: Path) -> _Meaning:
        if self._spec.color_table is None:
            return self._meaning
        table = color_table_path(path, self._spec.color_table)
        if table not in self._color_tables:
            colors = read_color_table(table)
            self._color_tables[table] = {
                color: self._labels[name] for color, name in colors.items() if name in self._labels
            }
        # Kept as colours: a table that is looked up takes 32 MB, and there is one for each drive.
        return _Meaning.create(self._limit, self._color_tables[table])

    def _name(self, raw_id: int) -> str:
        if self._spec.decode_rule == "rgb":
            return f"[{raw_id >> 16}, {raw_id >> 8 & 255}, {raw_id & 255}]"
        return str(raw_id)


def _declared_labels(spec: FolderSpec) -> dict[int | str, int]:
    """Returns the label of each raw id that a declaration names; ``IGNORE`` for ignored ones."""
    labels: dict[int | str, int] = dict.fromkeys(spec.ignored, IGNORE)
    for label in range(spec.classes.num_classes):
        labels.update(dict.fromkeys(spec.raw_ids(label), label))
    return labels


def _read_bytes(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror}")


def _decode(data: bytes, path: str | Path, flags: int) -> np.ndarray:
    # By way of bytes: cv2.imread knows no non-ASCII names on every platform.
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if pixels is None:
        raise ImageError(f"{path}: damaged, cut off or no image ({len(data)} bytes)")
    if data.startswith(_JPEG_SIGNATURE) and data.rfind(_JPEG_END) < data.rfind(_JPEG_SCAN):
        raise ImageError(f"{path}: JPEG is cut off ({len(data)} bytes)")  # OpenCV fills with grey
    return pixels


def _is_palette_png(data: bytes) -> bool:
    is_png = data.startswith(_PNG_SIGNATURE) and len(data) > _PNG_COLOR_TYPE
    return is_png and data[_PNG_COLOR_TYPE] == _PALETTE


def _palette_indices(data: bytes, path: str | Path) -> np.ndarray:
    # OpenCV would expand the palette to its colours, and those need not be unique.
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except (OSError, SyntaxError) as error:
        raise ImageError(f"{path}: damaged, cut off or no image: {error}")
    if image.mode != "P":
        raise ImageError(
            f"{path}: has no palette (mode {image.mode}); the rule 'palette' needs one"
        )
    return np.asarray(image)


def _gray8(pixels: np.ndarray, data: bytes, path: str | Path) -> np.ndarray:
    ids = _single_channel(pixels, path)
    if ids.dtype != np.uint8:
        raise ImageError(f"{path}: has 16 bits a pixel; the rule 'gray8' reads 8, see 'uint16'")
    bits = data[_PNG_BIT_DEPTH] if data.startswith(_PNG_SIGNATURE) else 8
    # OpenCV spreads 1, 2 and 4 bits over 0..255.
    return ids // (255 // (2**bits - 1)) if bits < 8 else ids


def _top8(pixels: np.ndarray, data: bytes, path: str | Path) -> np.ndarray:
    ids = _single_channel(pixels, path)
    return (ids >> 8).astype(np.uint8) if ids.dtype == np.uint16 else _gray8(ids, data, path)


def _uint16(pixels: np.ndarray, data: bytes, path: str | Path) -> np.ndarray:
    ids = _single_channel(pixels, path)
    if ids.dtype != np.uint16:
        raise ImageError(f"{path}: has 8 bits a pixel; the rule 'uint16' reads 16, see 'gray8'")
    return ids


def _red(pixels: np.ndarray, data: bytes, path: str | Path) -> np.ndarray:
    if pixels.ndim != 3:
        raise ImageError(f"{path}: has one channel; the rule 'red' reads the first of three")
    return pixels[..., 2]


def _rgb(pixels: np.ndarray, data: bytes, path: str | Path) -> np.ndarray:
    if pixels.ndim != 3 or pixels.dtype != np.uint8:
        raise ImageError(f"{path}: is no 8-bit colour image; the rule 'rgb' reads colours")
    if pixels.shape[2] == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA)
    # The bytes blue, green, red, alpha are the little-endian number alpha << 24 | ... | blue.
    return pixels.view("<u4")[..., 0] & 0xFFFFFF


def _single_channel(pixels: np.ndarray, path: str | Path) -> np.ndarray:
    """Returns the grey channel; colour channels that are equal (and any alpha) say the same."""
    if pixels.ndim == 2:
        return pixels
    blue, green, red = (pixels[..., channel] for channel in range(3))
    if not (np.array_equal(blue, green) and np.array_equal(blue, red)):
        raise ImageError(f"{path}: holds colours; expected one channel of ids, see 'rgb' and 'red'")
    return np.ascontiguousarray(blue)


_RULES = {"gray8": _gray8, "top8": _top8, "uint16": _uint16, "red": _red, "rgb": _rgb}
