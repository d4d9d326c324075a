"""One scene in every encoding that a camera sends, as messages."""

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image

HEIGHT, COLUMN = 48, 128
COLORS = np.array([(200, 10, 60), (30, 180, 20), (5, 70, 220)], np.uint8)
GREYS = np.array([40, 130, 250], np.uint8)
LABELS = np.repeat(np.arange(3, dtype=np.uint8), COLUMN)[np.newaxis].repeat(HEIGHT, axis=0)
COLOR_SCENE, GREY_SCENE = COLORS[LABELS], GREYS[LABELS]
YUV_FROM_RGB = np.array([[0.257, 0.504, 0.098], [-0.148, -0.291, 0.439], [0.439, -0.368, -0.071]])


def raw_messages():
    """Yields (message, the RGB image that it shows, how far a pixel may be off)."""
    rgb, bgr = COLOR_SCENE, COLOR_SCENE[..., ::-1]
    alpha = np.full(LABELS.shape + (1,), 9, np.uint8)
    yuv = np.rint(rgb.astype(float) @ YUV_FROM_RGB.T + [16, 128, 128]).astype(np.uint8)
    shown = [
        ("rgb8", rgb, 0),
        ("bgr8", bgr, 0),
        ("8UC3", bgr, 0),
        ("rgba8", np.concatenate([rgb, alpha], axis=2), 0),
        ("bgra8", np.concatenate([bgr, alpha], axis=2), 0),
        ("yuv422", _pairs(yuv, "UYVY"), 4),
        ("yuv422_yuy2", _pairs(yuv, "YUYV"), 4),
    ]
    deep = rgb.astype(np.uint16) * 257
    opaque = np.full(LABELS.shape + (1,), 65535, np.uint16)
    shown += [
        ("8UC4", np.concatenate([bgr, alpha], axis=2), 0),
        ("uyvy", _pairs(yuv, "UYVY"), 4),
        ("yuyv", _pairs(yuv, "YUYV"), 4),
        ("rgb16", deep, 0),
        ("bgr16", deep[..., ::-1], 0),
        ("16UC3", deep[..., ::-1], 0),
        ("rgba16", np.concatenate([deep, opaque], axis=2), 0),
    ]
    shown += [("bayer_%s16" % order, _mosaic(deep, order), 0) for order in BAYER_ORDERS]
    shown += [("bayer_%s8" % order, _mosaic(rgb, order), 0) for order in BAYER_ORDERS]
    for number, (encoding, array, tolerance) in enumerate(shown):
        yield _message(encoding, array, padding=number % 3 * 4), rgb, tolerance
    for encoding, order, half in (("nv12", (1, 2), 2), ("nv21", (2, 1), 2), ("nv24", (1, 2), 1)):
        colors = yuv[::half, ::half, list(order)].reshape(-1)
        planes = np.concatenate([yuv[..., 0].reshape(-1), colors])
        message = _message("mono8", yuv[..., 0], padding=0)
        message.encoding, message.data = encoding, planes.tobytes()
        yield message, rgb, 4
    grey = np.dstack([GREY_SCENE] * 3)
    for encoding in ("mono8", "8UC1"):
        yield _message(encoding, GREY_SCENE, padding=5), grey, 0
    for bits in (10, 12, 16):
        deep = (GREY_SCENE * ((2**bits - 1) / 255)).astype(np.uint16)
        for encoding in ("mono16", "16UC1"):
            for big_endian in (False, True):
                yield _message(encoding, deep, padding=6, big_endian=big_endian), grey, 1


def compressed_messages():
    """As ``raw_messages``, for ``CompressedImage``."""
    grey = np.dstack([GREY_SCENE] * 3)
    deep = (GREY_SCENE * (4095 / 255)).astype(np.uint16)
    for extension, array, shown, tolerance in (
        (".jpg", COLOR_SCENE[..., ::-1], COLOR_SCENE, 6),
        (".png", COLOR_SCENE[..., ::-1], COLOR_SCENE, 0),
        (".jpg", GREY_SCENE, grey, 6),
        (".png", GREY_SCENE, grey, 0),
        (".png", deep, grey, 1),
    ):
        data = cv2.imencode(extension, array)[1].tobytes()
        yield CompressedImage(format=extension[1:], data=data), shown, tolerance
    for order in BAYER_ORDERS:
        data = cv2.imencode(".png", _mosaic(COLOR_SCENE, order))[1].tobytes()
        form = "bayer_%s8; png compressed bgr8" % order
        yield CompressedImage(format=form, data=data), COLOR_SCENE, 0


BAYER_ORDERS = ("rggb", "bggr", "gbrg", "grbg")


def _mosaic(rgb, order):
    mosaic = np.empty(rgb.shape[:2], rgb.dtype)
    for position, channel in enumerate(order):
        row, column = divmod(position, 2)
        mosaic[row::2, column::2] = rgb[row::2, column::2, "rgb".index(channel)]
    return mosaic


def _pairs(yuv, order):
    """Two pixels of four bytes; both have the first one's colour, as the scene does."""
    planes = {"Y": iter((yuv[:, 0::2, 0], yuv[:, 1::2, 0]))}
    planes.update(U=iter([yuv[:, 0::2, 1]]), V=iter([yuv[:, 0::2, 2]]))
    packed = np.stack([next(planes[name]) for name in order], axis=-1)
    return packed.reshape(yuv.shape[:2] + (2,))


def _message(encoding, array, padding, big_endian=False):
    stored = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<>"[big_endian])))
    rows = stored.view(np.uint8).reshape(HEIGHT, -1)
    padded = np.pad(rows, [(0, 0), (0, padding)], mode="constant", constant_values=77)
    return Image(
        encoding=encoding,
        height=HEIGHT,
        width=array.shape[1],
        step=padded.shape[1],
        is_bigendian=big_endian,
        data=padded.tobytes(),
    )
