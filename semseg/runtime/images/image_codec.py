"""Between the fields of ROS image messages and arrays.

Takes the fields, not the messages, so that rospy's and rosbags' messages give equal pixels.
Nothing is believed: a size, a row step or an encoding that contradicts the data is an
``ImageError`` before anything of that size is allocated. Unlike cv_bridge's Python side it
honours ``step`` and ``is_bigendian``. Pixels of 16 bits are stretched to 8.

Source of the encodings: ``sensor_msgs/include/sensor_msgs/image_encodings.h``.
"""

import re
import sys
from typing import Callable, NamedTuple, Optional, Tuple

import cv2
import numpy as np

from semseg.classes import IGNORE
from semseg.errors import ImageError, unknown_name
from semseg.runtime.images import image_file
from semseg.runtime.images.stretch import stretched


class _Encoding(NamedTuple):
    dtype: type
    channels: int
    to_rgb: Optional[int] = None  # OpenCV's conversion of 8-bit pixels.
    shared: Tuple[int, int] = (1, 1)  # Rows and columns of pixels that share their colour.
    planes: Optional[Callable] = None  # Makes RGB of a brightness and a colour plane.
    plane_rows: Tuple[int, int] = (0, 1)  # Rows of the colour plane per row, as a fraction.


def _half_colors(to_rgb):
    """Returns what makes RGB of a brightness plane and a colour plane of half its size."""

    def convert(brightness, colors):
        return cv2.cvtColor(np.concatenate([brightness, colors]), to_rgb)

    return convert


def _full_colors(brightness, colors):
    # OpenCV knows none such. Twice as wide, each pixel is a pair that has its own colour.
    pairs = np.stack([colors[:, 0::2], brightness, colors[:, 1::2], brightness], axis=2)
    height, width = brightness.shape
    packed = np.ascontiguousarray(pairs).reshape(height, 2 * width, 2)
    return np.ascontiguousarray(cv2.cvtColor(packed, cv2.COLOR_YUV2RGB_UYVY)[:, ::2])


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
    "8UC4": _Encoding(np.uint8, 4, cv2.COLOR_BGRA2RGB),
    "rgb16": _Encoding(np.uint16, 3),
    "bgr16": _Encoding(np.uint16, 3, cv2.COLOR_BGR2RGB),
    "rgba16": _Encoding(np.uint16, 4),
    "bgra16": _Encoding(np.uint16, 4, cv2.COLOR_BGR2RGB),
    "16UC3": _Encoding(np.uint16, 3, cv2.COLOR_BGR2RGB),
    "16UC4": _Encoding(np.uint16, 4, cv2.COLOR_BGR2RGB),
    "yuv422": _Encoding(np.uint8, 2, cv2.COLOR_YUV2RGB_UYVY, (1, 2)),
    "uyvy": _Encoding(np.uint8, 2, cv2.COLOR_YUV2RGB_UYVY, (1, 2)),
    "yuv422_yuy2": _Encoding(np.uint8, 2, cv2.COLOR_YUV2RGB_YUY2, (1, 2)),
    "yuyv": _Encoding(np.uint8, 2, cv2.COLOR_YUV2RGB_YUY2, (1, 2)),
    # A plane of brightness, then one of colours: UV, in nv21 VU.
    "nv12": _Encoding(
        np.uint8, 1, None, (2, 2), _half_colors(cv2.COLOR_YUV2RGB_NV12), plane_rows=(1, 2)
    ),
    "nv21": _Encoding(
        np.uint8, 1, None, (2, 2), _half_colors(cv2.COLOR_YUV2RGB_NV21), plane_rows=(1, 2)
    ),
    "nv24": _Encoding(np.uint8, 1, None, (1, 1), _full_colors, plane_rows=(2, 1)),
}
_BAYER = {
    "rggb": cv2.COLOR_BayerBG2RGB,
    "bggr": cv2.COLOR_BayerRG2RGB,
    "gbrg": cv2.COLOR_BayerGR2RGB,
    "grbg": cv2.COLOR_BayerGB2RGB,
}
for _pattern, _to_rgb in _BAYER.items():
    _ENCODINGS["bayer_%s8" % _pattern] = _Encoding(np.uint8, 1, _to_rgb)
    _ENCODINGS["bayer_%s16" % _pattern] = _Encoding(np.uint16, 1, _to_rgb)
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
_COMPRESSED = "compressed image"
_DEPTH_FORM = "compressedDepth"
_TO_GREY = cv2.COLOR_RGB2GRAY


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
      encoding: one of rgb8, bgr8, rgba8, bgra8, rgb16, bgr16, rgba16, bgra16, mono8, mono16,
        8UC1, 8UC3, 8UC4, 16UC1, 16UC3, 16UC4, bayer_{rggb,bggr,gbrg,grbg}{8,16}, yuv422 and
        uyvy, yuv422_yuy2 and yuyv, nv12, nv21 and nv24 (whose planes follow each other).
      height: rows.
      width: pixels per row.
      step: bytes per row, padding included.
      is_bigendian: whether 16-bit pixels have their high byte first.
      data: bytes or a uint8 array, ``step * height`` of them and those of a second plane.
      stretch: one of ``stretch.STRETCHES``, for 16-bit pixels.

    Returns:
      RGB uint8 (height, width, 3); a read-only view of ``data`` where that is RGB already.

    Raises:
      ImageError: unknown encoding, or fields that contradict each other.
    """
    layout = _known(_ENCODINGS, "image encoding", encoding)
    try:
        if layout.planes is not None:
            return layout.planes(*_planes(layout, encoding, height, width, step, data))
        pixels = _pixels(layout, encoding, height, width, step, is_bigendian, data)
        if layout.dtype == np.uint16:
            colors = pixels[..., :3] if pixels.ndim == 3 else pixels
            pixels = stretched(colors, stretch)  # What is transparent is not bright.
        return pixels if layout.to_rgb is None else cv2.cvtColor(pixels, layout.to_rgb)
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


def decode_compressed(data: bytes, stretch: str = "auto", form: str = "") -> np.ndarray:
    """Decodes a ``sensor_msgs/CompressedImage``, as ``image_file.decode_image`` does.

    Args:
      data: bytes or a uint8 array, the contents of an image file.
      stretch: one of ``stretch.STRETCHES``, for 16-bit pixels.
      form: the message's ``format``, such as ``bayer_rggb8; jpeg compressed bgr8``: the pixels
        of a Bayer pattern are given their colours, those of a mono encoding lose them. Anything
        else is decided by the data; the file says its own order of colours.

    Returns:
      RGB uint8 (H, W, 3), turned as an EXIF orientation says.

    Raises:
      ImageError: the data is no whole image, or no camera image.
    """
    _check_form(form)
    header = image_file.checked_header(data, _COMPRESSED)
    image = image_file.decode_stored(header, _COMPRESSED, stretch)
    return image_file.turned(_with_colors_of(form, image), header.orientation)


def decode_compressed_labels(data: bytes, form: str = "") -> np.ndarray:
    """Decodes labels from a ``sensor_msgs/CompressedImage``, uint8 (H, W).

    Args:
      data: bytes or a uint8 array, the contents of an image file.
      form: the message's ``format``.

    Raises:
      ImageError: the data is no whole image, has colours, or is JPEG, which alters labels.
    """
    _check_form(form)
    header = image_file.checked_header(data, _COMPRESSED)
    if header.kind == "JPEG":
        raise ImageError("labels in a JPEG image are not what was encoded; expected PNG")
    image = image_file.decode_pixels(header, _COMPRESSED, cv2.IMREAD_UNCHANGED)
    if image.ndim != 2:
        raise ImageError("label image has %d channels; expected one" % image.shape[2])
    return _narrow(image)


def _with_colors_of(form, image):
    """Returns the RGB image that a format means by what was compressed as RGB or grey."""
    encoding, separator, _ = form.partition(";")
    layout = _ENCODINGS.get(encoding.strip()) if separator else None
    if layout is None or layout.channels != 1 or layout.planes is not None:
        return image
    red, green, blue = (image[..., channel] for channel in range(3))
    is_grey = np.array_equal(red, green) and np.array_equal(red, blue)
    if "bayer" not in encoding:
        return image if is_grey else cv2.cvtColor(cv2.cvtColor(image, _TO_GREY), layout.to_rgb)
    # Some publishers give the colours before they compress and leave the encoding's name.
    return cv2.cvtColor(np.ascontiguousarray(red), layout.to_rgb) if is_grey else image


def _check_form(form):
    if _DEPTH_FORM in form:
        raise ImageError(
            "format '%s' is a depth image of compressed_depth_image_transport; expected a JPEG or"
            " PNG of a camera or of labels" % form[:80]
        )


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
    _check_shared(layout, encoding, height, width)
    rows = np.frombuffer(buffer, np.uint8).reshape(height, step)
    pixels = np.ascontiguousarray(rows[:, :row_bytes]).view(layout.dtype)
    if pixels.itemsize > 1 and bool(is_bigendian) != (sys.byteorder == "big"):
        pixels = pixels.byteswap()
    return pixels if layout.channels == 1 else pixels.reshape(height, width, layout.channels)


def _planes(layout, encoding, height, width, step, data):  # noqa: PLR0917
    """Checks the fields; returns brightness (height, width) and colours (rows, columns)."""
    try:
        buffer = memoryview(data)
    except TypeError:
        raise ImageError("image data is %s; expected bytes" % type(data).__name__)
    numerator, denominator = layout.plane_rows
    color_bytes, odd = divmod(numerator * width * height, denominator)
    row_bytes = width * numerator // denominator
    # As cameras fill the fields: the row of the first plane, or an equal share of all planes.
    in_rows = step >= width and buffer.nbytes * denominator == (
        step * height * (denominator + numerator)
    )
    in_one = step == width + row_bytes and buffer.nbytes == step * height
    if height < 1 or width < 1 or odd or not (in_rows or in_one):
        raise ImageError(
            "%s image of %dx%d needs %d bytes without padding; found rows of %d, %d bytes in all"
            % (encoding, height, width, width * height + color_bytes, step, buffer.nbytes)
        )
    _check_shared(layout, encoding, height, width)
    values = np.frombuffer(buffer, np.uint8)
    row = step if in_rows else width
    first = values[: row * height].reshape(height, row)[:, :width]
    if numerator < denominator:
        second = values[row * height :].reshape(-1, row)[:, :width]
    else:
        second = values[row * height :].reshape(height, -1)[:, : width * numerator]
    return first, second


def _check_shared(layout, encoding, height, width):
    if height % layout.shared[0]:
        raise ImageError("%s image has an odd height, %d" % (encoding, height))
    if width % layout.shared[1]:
        raise ImageError("%s image has an odd width, %d" % (encoding, width))


def _narrow(labels):
    """Returns labels of any integer type as uint8."""
    if labels.dtype == np.uint8:
        return labels
    absent = np.isin(labels, _NO_LABEL)
    strangers = labels[~absent & ((labels < 0) | (labels > IGNORE))]
    if strangers.size:
        raise ImageError("label %d in a label image; expected 0..%d" % (strangers[0], IGNORE))
    return np.where(absent, IGNORE, labels).astype(np.uint8)


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
