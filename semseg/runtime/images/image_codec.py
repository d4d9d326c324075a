"""Between the fields of ROS image messages and arrays.

Takes the fields, not the messages, so that rospy's and rosbags' messages give equal pixels.
Nothing is believed: a size, a row step or an encoding that contradicts the data is an
``ImageError`` before anything of that size is allocated. Unlike cv_bridge's Python side it
honours ``step`` and ``is_bigendian``. Pixels of 16 bits are stretched to 8.

Source of the encodings: ``sensor_msgs/include/sensor_msgs/image_encodings.h``.
"""

import re
import sys
from typing import NamedTuple, Optional, Tuple

import cv2
import numpy as np

from semseg.classes import IGNORE
from semseg.errors import ImageError, unknown_name

_DEPTHS = {"8": 8, "10": 10, "12": 12, "14": 14, "16": 16}
STRETCHES = ("auto", "minmax") + tuple(_DEPTHS)
"""The sensor's depth in bits; ``auto`` takes the smallest depth here that holds the brightest
pixel, ``minmax`` maps the image's own range to 0..255."""


def stretched(pixels: np.ndarray, stretch: str) -> np.ndarray:
    """Returns pixels of 8 bits; what lies outside the range is cut off.

    Args:
      pixels: uint16 (H, W) or (H, W, channels).
      stretch: one of ``STRETCHES``.

    Returns:
      uint8 of the same shape.

    Raises:
      ImageError: there is no such stretch.
    """
    if stretch not in STRETCHES:
        raise ImageError(unknown_name("stretch", stretch, STRETCHES))
    low, high = _range(pixels, stretch)
    scale = 255 / max(1, high - low)
    return cv2.convertScaleAbs(
        np.maximum(pixels, low) if low else pixels, None, scale, -low * scale
    )


def _range(pixels, stretch):
    if stretch == "minmax":
        return int(pixels.min()), int(pixels.max())
    if stretch == "auto":
        brightest = int(pixels.max())
        return 0, (1 << min(depth for depth in _DEPTHS.values() if brightest >> depth == 0)) - 1
    return 0, (1 << _DEPTHS[stretch]) - 1


class _Encoding(NamedTuple):
    dtype: type
    channels: int
    to_rgb: Optional[int] = None  # OpenCV's conversion of 8-bit pixels.
    pixel_pairs: bool = False  # Two pixels share their colour.


# ROS names a Bayer pattern by its first two rows, OpenCV by the second and third pixel of the
# second row: rggb (RG above GB) is OpenCV's BG.
_ENCODINGS = {
    "rgb8": _Encoding(np.uint8, 3),
    "bgr8": _Encoding(np.uint8, 3, cv2.COLOR_BGR2RGB),
    "rgba8": _Encoding(np.uint8, 4, cv2.COLOR_RGBA2RGB),
    "bgra8": _Encoding(np.uint8, 4, cv2.COLOR_BGRA2RGB),
    "mono8": _Encoding(np.uint8, 1, cv2.COLOR_GRAY2RGB),
    "mono16": _Encoding(np.uint16, 1, cv2.COLOR_GRAY2RGB),
    "8UC1": _Encoding(np.uint8, 1, cv2.COLOR_GRAY2RGB),
    "8UC3": _Encoding(np.uint8, 3, cv2.COLOR_BGR2RGB),  # No order stated: OpenCV's own.
    "16UC1": _Encoding(np.uint16, 1, cv2.COLOR_GRAY2RGB),
    "bayer_rggb8": _Encoding(np.uint8, 1, cv2.COLOR_BayerBG2RGB),
    "bayer_bggr8": _Encoding(np.uint8, 1, cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg8": _Encoding(np.uint8, 1, cv2.COLOR_BayerGR2RGB),
    "bayer_grbg8": _Encoding(np.uint8, 1, cv2.COLOR_BayerGB2RGB),
    "yuv422": _Encoding(np.uint8, 2, cv2.COLOR_YUV2RGB_UYVY, pixel_pairs=True),
    "yuv422_yuy2": _Encoding(np.uint8, 2, cv2.COLOR_YUV2RGB_YUY2, pixel_pairs=True),
}
_LABEL_ENCODINGS = {
    "mono8": _Encoding(np.uint8, 1),
    "8UC1": _Encoding(np.uint8, 1),
    "mono16": _Encoding(np.uint16, 1),
    "16UC1": _Encoding(np.uint16, 1),
    "32SC1": _Encoding(np.int32, 1),
}
_DISPARITY_ENCODINGS = {"32FC1": _Encoding(np.float32, 1)}
_FROM_RGB = {
    "bgr8": cv2.COLOR_RGB2BGR,
    "rgba8": cv2.COLOR_RGB2RGBA,
    "bgra8": cv2.COLOR_RGB2BGRA,
}
_PLAIN_TYPES = {
    "8U": np.uint8,
    "8S": np.int8,
    "16U": np.uint16,
    "16S": np.int16,
    "32S": np.int32,
    "32F": np.float32,
    "64F": np.float64,
}
_PLAIN_ENCODING = re.compile("(%s)C([0-9]{1,3})" % "|".join(_PLAIN_TYPES))
_NO_LABEL = (0xFFFF, -1)  # What 16UC1 and 32SC1 label images say for "no class".
_JPEG_START = b"\xff\xd8"


def decode_image(  # noqa: PLR0917 - in the order of the message's fields
    encoding: str,
    height: int,
    width: int,
    step: int,
    is_bigendian: int,
    data: bytes,
    stretch: str = "auto",
) -> np.ndarray:
    """Decodes the fields of a ``sensor_msgs/Image`` from a camera.

    Args:
      encoding: one of rgb8, bgr8, rgba8, bgra8, mono8, mono16, 8UC1, 8UC3, 16UC1,
        bayer_{rggb,bggr,gbrg,grbg}8, yuv422 (UYVY) and yuv422_yuy2 (YUYV).
      height: rows.
      width: pixels per row.
      step: bytes per row, padding included.
      is_bigendian: whether 16-bit pixels have their high byte first.
      data: bytes or a uint8 array, ``step * height`` of them.
      stretch: one of ``stretch.STRETCHES``, for 16-bit pixels.

    Returns:
      RGB uint8 (height, width, 3); a read-only view of ``data`` where that is RGB already.

    Raises:
      ImageError: unknown encoding, or fields that contradict each other.
    """
    layout = _known(_ENCODINGS, "image encoding", encoding)
    pixels = _pixels(layout, encoding, height, width, step, is_bigendian, data)
    if layout.dtype == np.uint16:
        pixels = stretched(pixels, stretch)
    if layout.to_rgb is None:
        return pixels
    try:
        return cv2.cvtColor(pixels, layout.to_rgb)
    except cv2.error as error:
        raise ImageError("%s image of %dx%d: %s" % (encoding, height, width, _one_line(error)))


def decode_labels(  # noqa: PLR0917
    encoding: str, height: int, width: int, step: int, is_bigendian: int, data: bytes
) -> np.ndarray:
    """Decodes the fields of a ``sensor_msgs/Image`` that holds labels.

    Args:
      encoding: mono8, 8UC1, mono16, 16UC1 or 32SC1; 65535 and -1 are ``IGNORE`` there.
      height: rows.
      width: pixels per row.
      step: bytes per row, padding included.
      is_bigendian: byte order of labels that are wider than a byte.
      data: bytes or a uint8 array, ``step * height`` of them.

    Returns:
      uint8 (height, width).

    Raises:
      ImageError: unknown encoding, contradicting fields, or a label above 255.
    """
    layout = _known(_LABEL_ENCODINGS, "label encoding", encoding)
    return _narrow(_pixels(layout, encoding, height, width, step, is_bigendian, data))


def decode_disparity(  # noqa: PLR0917
    encoding: str, height: int, width: int, step: int, is_bigendian: int, data: bytes
) -> np.ndarray:
    """Decodes the fields of a ``sensor_msgs/Image`` that holds disparities.

    Args:
      encoding: 32FC1.
      height: rows.
      width: pixels per row.
      step: bytes per row, padding included.
      is_bigendian: byte order.
      data: bytes or a uint8 array, ``step * height`` of them.

    Returns:
      float32 (height, width), pixels at the image's width; 0, unknown, also where the message
      says so by a negative number, infinity or NaN, as stereo matchers do.

    Raises:
      ImageError: another encoding, or contradicting fields.
    """
    layout = _known(_DISPARITY_ENCODINGS, "disparity encoding", encoding)
    disparity = _pixels(layout, encoding, height, width, step, is_bigendian, data)
    with np.errstate(invalid="ignore"):  # Older numpy warns of comparing NaN.
        known = (disparity > 0) & (disparity < np.inf)
    return np.where(known, disparity, np.float32(0))


def decode_compressed(data: bytes, stretch: str = "auto") -> np.ndarray:
    """Decodes the data of a ``sensor_msgs/CompressedImage``: JPEG or PNG, colour or grey.

    Args:
      data: bytes or a uint8 array, the contents of an image file.
      stretch: one of ``stretch.STRETCHES``, for 16-bit PNG.

    Returns:
      RGB uint8 (H, W, 3), as stored: an orientation tag is not applied.

    Raises:
      ImageError: the data is no whole image.
    """
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    image = _imdecode(data, flags)
    if image.dtype == np.uint16:
        image = stretched(image, stretch)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def decode_compressed_labels(data: bytes) -> np.ndarray:
    """Decodes labels from a ``sensor_msgs/CompressedImage``, uint8 (H, W).

    Raises:
      ImageError: the data is no whole image, has colours, or is JPEG, which alters labels.
    """
    if bytes(data[: len(_JPEG_START)]) == _JPEG_START:
        raise ImageError("labels in a JPEG image are not what was encoded; expected PNG")
    image = _imdecode(data, cv2.IMREAD_UNCHANGED)
    if image.ndim != 2:
        raise ImageError("label image has %d channels; expected one" % image.shape[2])
    return _narrow(image)


def encode_image(array: np.ndarray, encoding: str) -> Tuple[int, int, str, int, int, bytes]:
    """Encodes an array as the fields of a ``sensor_msgs/Image`` without row padding.

    Args:
      array: uint8 (H, W, 3) RGB for rgb8, bgr8, rgba8 and bgra8; (H, W) for mono8 and
        mono16; (H, W) or (H, W, n) for OpenCV's plain types, such as 16UC1, 32SC1 or 32FC11.
      encoding: one of those.

    Returns:
      height, width, encoding, is_bigendian, step, data.

    Raises:
      ImageError: unknown encoding, or an array of another type or shape.
    """
    dtype, channels = _stored_type(encoding)
    source_channels = 3 if encoding in _FROM_RGB else channels
    found = array.shape[2] if array.ndim == 3 else 1
    is_image = array.ndim in (2, 3) and found == source_channels and array.size
    if not is_image or not np.can_cast(array.dtype, dtype):
        raise ImageError(
            "cannot encode %s of shape %s as %s" % (array.dtype, list(array.shape), encoding)
        )
    if encoding in _FROM_RGB:
        array = cv2.cvtColor(array, _FROM_RGB[encoding])
    height, width = array.shape[:2]
    step = width * channels * np.dtype(dtype).itemsize
    data = array.astype(dtype, copy=False).tobytes()
    return height, width, encoding, int(sys.byteorder == "big"), step, data


def encode_png(labels: np.ndarray) -> bytes:
    """Encodes labels, uint8 or uint16 (H, W), as PNG: small, fast and lossless."""
    done, data = cv2.imencode(".png", labels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise ImageError("cannot encode %s of shape %s as PNG" % (labels.dtype, labels.shape))
    return data.tobytes()


def _pixels(layout, encoding, height, width, step, is_bigendian, data):  # noqa: PLR0917
    """Checks the fields; returns (height, width) or (height, width, channels) pixels."""
    row_bytes = width * layout.channels * np.dtype(layout.dtype).itemsize
    try:
        buffer = memoryview(data)
    except TypeError:
        raise ImageError("image data is %s; expected bytes" % type(data).__name__)
    if height < 1 or width < 1 or step < row_bytes or buffer.nbytes != step * height:
        raise ImageError(
            "%s image of %dx%d needs rows of at least %d bytes; found rows of %d, %d bytes in all"
            % (encoding, height, width, row_bytes, step, buffer.nbytes)
        )
    if layout.pixel_pairs and width % 2:
        raise ImageError("%s image has an odd width, %d" % (encoding, width))
    rows = np.frombuffer(buffer, np.uint8).reshape(height, step)
    pixels = np.ascontiguousarray(rows[:, :row_bytes]).view(layout.dtype)
    if pixels.itemsize > 1 and bool(is_bigendian) != (sys.byteorder == "big"):
        pixels = pixels.byteswap()
    return pixels if layout.channels == 1 else pixels.reshape(height, width, layout.channels)


def _narrow(labels):
    """Returns labels of any integer type as uint8."""
    if labels.dtype == np.uint8:
        return labels
    absent = np.isin(labels, _NO_LABEL)
    strangers = labels[~absent & ((labels < 0) | (labels > IGNORE))]
    if strangers.size:
        raise ImageError("label %d in a label image; expected 0..%d" % (strangers[0], IGNORE))
    return np.where(absent, IGNORE, labels).astype(np.uint8)


def _imdecode(data, flags):
    try:
        buffer = np.frombuffer(data, np.uint8)
        image = cv2.imdecode(buffer, flags)
    except (cv2.error, TypeError, ValueError) as error:
        raise ImageError("compressed image cannot be decoded: %s" % _one_line(error))
    if image is None:
        raise ImageError("compressed image of %d bytes is no whole JPEG or PNG" % buffer.size)
    return image


def _stored_type(encoding):
    if encoding in ("rgb8", "mono8", "mono16") or encoding in _FROM_RGB:
        return _ENCODINGS[encoding].dtype, _ENCODINGS[encoding].channels
    plain = _PLAIN_ENCODING.fullmatch(str(encoding))
    if plain is None:
        choices = ["rgb8", "mono8", "mono16", "16UC1", "32SC1", "32FC1"] + list(_FROM_RGB)
        raise ImageError(unknown_name("image encoding", encoding, choices))
    return _PLAIN_TYPES[plain.group(1)], int(plain.group(2))


def _known(table, kind, name):
    if name not in table:
        raise ImageError(unknown_name(kind, name, table))
    return table[name]


def _one_line(error):
    return " ".join(str(error).split())[:200]
