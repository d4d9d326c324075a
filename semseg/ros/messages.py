"""Between ROS messages and arrays; the pixels are the work of ``runtime.image_codec``."""

from typing import Tuple, Union

import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from semseg.runtime.images import image_codec

# What compressed_image_transport writes and its subscribers parse, the last space included.
PNG_FORMAT = "%s; png compressed "
# PNG has no pixels of 32 bits: such labels travel as bytes.
_PNG_TYPES = {"mono8": np.uint8, "16UC1": np.uint16}


def copy_header(header: Header) -> Header:
    """Returns a header of its own: publishing a message overwrites its header's ``seq``."""
    return Header(seq=header.seq, stamp=header.stamp, frame_id=header.frame_id)


def image_from_message(message: Union[Image, CompressedImage], stretch: str = "auto") -> np.ndarray:
    """Decodes a camera message into an RGB image, uint8 (H, W, 3).

    Args:
      message: the camera's.
      stretch: how 16-bit pixels become 8-bit ones, one of ``stretch.STRETCHES``.

    Raises:
      ImageError: unknown encoding, or data that contradicts the message's own fields.
    """
    if isinstance(message, CompressedImage):
        return image_codec.decode_compressed(message.data, stretch, message.format)
    return image_codec.decode_image(*_fields(message), stretch)


def labels_from_message(message: Image) -> np.ndarray:
    """Decodes a label image message into labels, uint8 (H, W).

    Raises:
      ImageError: no label encoding, or data that contradicts the message's own fields.
    """
    return image_codec.decode_labels(*_fields(message))


def disparity_from_message(message: Image) -> np.ndarray:
    """Decodes a disparity message, float32 (H, W) in pixels, 0 where unknown.

    Raises:
      ImageError: it is not 32FC1, or its data contradicts its own fields.
    """
    return image_codec.decode_disparity(*_fields(message))


def image_message(header: Header, array: np.ndarray, encoding: str) -> Image:
    """Returns an ``Image`` of the array, with a copy of the header.

    Args:
      header: the camera image's header.
      array: (H, W) or (H, W, channels) of the encoding's type; RGB order for ``rgb8``.
      encoding: a ROS encoding, such as ``mono8``, ``rgb8`` or ``32FC11``.
    """
    height, width, encoding, is_bigendian, step, data = image_codec.encode_image(array, encoding)
    return Image(
        header=copy_header(header),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=is_bigendian,
        step=step,
        data=data,
    )


def png_message(header: Header, labels: np.ndarray, encoding: str = "mono8") -> CompressedImage:
    """Returns labels as a lossless ``CompressedImage`` that image_transport can read.

    Args:
      header: the camera image's header.
      labels: uint8 (H, W).
      encoding: ``mono8`` or ``16UC1``; any other one becomes ``mono8``.
    """
    encoding = encoding if encoding in _PNG_TYPES else "mono8"
    return CompressedImage(
        header=copy_header(header),
        format=PNG_FORMAT % encoding,
        data=image_codec.encode_png(labels.astype(_PNG_TYPES[encoding], copy=False)),
    )


def uncalibrated_camera_info(header: Header, height: int, width: int) -> CameraInfo:
    """Returns the ``CameraInfo`` of a camera whose calibration is unknown (``K[0] = 0``)."""
    return CameraInfo(header=copy_header(header), height=height, width=width)


def _fields(message: Image) -> Tuple[str, int, int, int, int, bytes]:
    return (
        message.encoding,
        message.height,
        message.width,
        message.step,
        message.is_bigendian,
        message.data,
    )
