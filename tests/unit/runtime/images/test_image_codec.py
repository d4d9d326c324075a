"""One scene in every encoding comes out as the same RGB image; nonsense is refused."""

import cv2
import numpy as np
import pytest

from semseg.errors import ImageError
from semseg.runtime.images import image_codec

HEIGHT, WIDTH = 48, 64
BAYER_PATTERNS = ["rggb", "bggr", "gbrg", "grbg"]


def scene():
    """A smooth colour image whose channels differ everywhere."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([200 - y, 60 + x, 20 + y // 2 + x // 2], axis=-1).astype(np.uint8)


def bayer(rgb, pattern):
    """Keeps of each pixel the channel that the ROS pattern has there."""
    mosaic = np.empty(rgb.shape[:2], rgb.dtype)
    for position, channel in enumerate(pattern):
        row, column = divmod(position, 2)
        mosaic[row::2, column::2] = rgb[row::2, column::2, "rgb".index(channel)]
    return mosaic


def yuv422(rgb, order):
    """BT.601 in the order of OpenCV's conversion; two pixels share U and V."""
    y, u, v = np.moveaxis(rgb.astype(float) @ YUV_FROM_RGB.T + [16, 128, 128], -1, 0)
    shared = [(plane[:, 0::2] + plane[:, 1::2]) / 2 for plane in (u, v)]
    planes = {"Y0": y[:, 0::2], "Y1": y[:, 1::2], "U": shared[0], "V": shared[1]}
    stacked = np.stack([planes[name] for name in order], axis=-1)
    return np.round(stacked).astype(np.uint8).reshape(HEIGHT, WIDTH, 2)


YUV_FROM_RGB = np.array([[0.257, 0.504, 0.098], [-0.148, -0.291, 0.439], [0.439, -0.368, -0.071]])


def fields(encoding, array, padding=0, big_endian=False):
    """Returns message fields, with rows padded by nonsense."""
    array = array.astype(array.dtype.newbyteorder(">" if big_endian else "<"))
    rows = np.ascontiguousarray(array).view(np.uint8).reshape(array.shape[0], -1)
    padded = np.pad(rows, [(0, 0), (0, padding)], mode="constant", constant_values=77)
    height, width = array.shape[:2]
    return encoding, height, width, padded.shape[1], int(big_endian), padded.tobytes()


def colour_cases():
    rgb = scene()
    alpha = np.full((HEIGHT, WIDTH, 1), 9, np.uint8)
    yield "rgb8", rgb, 0
    yield "bgr8", rgb[..., ::-1], 0
    yield "8UC3", rgb[..., ::-1], 0
    yield "rgba8", np.concatenate([rgb, alpha], axis=-1), 0
    yield "bgra8", np.concatenate([rgb[..., ::-1], alpha], axis=-1), 0
    yield "8UC4", np.concatenate([rgb[..., ::-1], alpha], axis=-1), 0
    yield "uyvy", yuv422(rgb, ["U", "Y0", "V", "Y1"]), 4
    yield "yuyv", yuv422(rgb, ["Y0", "U", "Y1", "V"]), 4
    yield "yuv422", yuv422(rgb, ["U", "Y0", "V", "Y1"]), 4
    yield "yuv422_yuy2", yuv422(rgb, ["Y0", "U", "Y1", "V"]), 4
    for pattern in BAYER_PATTERNS:
        yield "bayer_%s8" % pattern, bayer(rgb, pattern), 3


def deep_cases():
    """16 bits of colour; the alpha is brighter than any colour."""
    deep = scene().astype(np.uint16) * 16
    alpha = np.full((HEIGHT, WIDTH, 1), 65535, np.uint16)
    yield "rgb16", deep
    yield "bgr16", deep[..., ::-1]
    yield "16UC3", deep[..., ::-1]
    yield "rgba16", np.dstack([deep, alpha])
    yield "bgra16", np.dstack([deep[..., ::-1], alpha])
    yield "16UC4", np.dstack([deep[..., ::-1], alpha])
    for pattern in BAYER_PATTERNS:
        yield "bayer_%s16" % pattern, bayer(deep, pattern)


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize(
    ("encoding", "array"), list(deep_cases()), ids=lambda value: str(value)[:12]
)
def test_deep_colours_are_stretched_by_their_brightest(encoding, array, big_endian):
    decoded = image_codec.decode_image(*fields(encoding, array, 4, big_endian), stretch="12")
    difference = np.abs(decoded.astype(int) - scene())[2:-2, 2:-2]
    assert difference.max() <= (3 if "bayer" in encoding else 1)
    automatic = image_codec.decode_image(*fields(encoding, array, 4, big_endian))
    np.testing.assert_array_equal(automatic, decoded)


def planes(rgb, order, half):
    """Brightness and interleaved colours, which ``half`` shares between four pixels."""
    y, u, v = np.moveaxis(rgb.astype(float) @ YUV_FROM_RGB.T + [16, 128, 128], -1, 0)
    if half:
        u, v = (
            (plane[0::2, 0::2] + plane[0::2, 1::2] + plane[1::2, 0::2] + plane[1::2, 1::2]) / 4
            for plane in (u, v)
        )
    colors = np.stack([u, v] if order == "UV" else [v, u], axis=-1)
    return [np.round(plane).astype(np.uint8) for plane in (y, colors.reshape(len(colors), -1))]


@pytest.mark.parametrize(
    ("encoding", "order", "half", "tolerance"),
    # Within four pixels that share a colour the scene moves by 1, a colour's step is 2.
    [("nv12", "UV", True, 5), ("nv21", "VU", True, 5), ("nv24", "UV", False, 4)],
)
def test_colours_in_a_second_plane(encoding, order, half, tolerance):
    first, second = planes(scene(), order, half)
    whole = first.tobytes() + second.tobytes()
    step = len(whole) // HEIGHT
    for row, data in ((WIDTH, whole), (step, whole)):
        decoded = image_codec.decode_image(encoding, HEIGHT, WIDTH, row, 0, data)
        assert np.abs(decoded.astype(int) - scene()).max() <= tolerance
    padded = np.pad(first, [(0, 0), (0, 8)], mode="constant", constant_values=77).tobytes()
    behind = second if half else second.reshape(HEIGHT, -1)
    behind = np.pad(
        behind, [(0, 0), (0, 8 if half else 16)], mode="constant", constant_values=77
    ).tobytes()
    found = image_codec.decode_image(encoding, HEIGHT, WIDTH, WIDTH + 8, 0, padded + behind)
    np.testing.assert_array_equal(found, decoded)
    with pytest.raises(
        ImageError, match="%s image of 48x64 needs %d bytes" % (encoding, len(whole))
    ):
        image_codec.decode_image(encoding, HEIGHT, WIDTH, WIDTH, 0, whole[:-1])
    if half:
        with pytest.raises(ImageError, match="%s image has an odd height, 3" % encoding):
            image_codec.decode_image(encoding, 3, 4, 4, 0, b"\0" * 18)


def test_the_format_of_a_compressed_image_is_believed():
    mosaic = bayer(scene(), "rggb")
    for extension, tolerance in ((".png", 3), (".jpg", 60)):
        data = cv2.imencode(extension, mosaic, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
        for form in ("bayer_rggb8; %s compressed ", "bayer_rggb8; %s compressed bgr8"):
            decoded = image_codec.decode_compressed(data, form=form % extension[1:])
            difference = np.abs(decoded.astype(int) - scene())[2:-2, 2:-2]
            assert difference.max() <= tolerance
            assert difference.mean() <= 6
    deep = cv2.imencode(".png", bayer(scene().astype(np.uint16) * 16, "gbrg"))[1].tobytes()
    decoded = image_codec.decode_compressed(deep, "12", "bayer_gbrg16; png compressed ")
    assert np.abs(decoded.astype(int) - scene())[2:-2, 2:-2].max() <= 3
    # Colours that are there already stay, grey is what mono says.
    data = cv2.imencode(".png", scene()[..., ::-1])[1].tobytes()
    for form in ("bayer_rggb8; png compressed bgr8", "rgb8; png compressed bgr8", "png", ""):
        np.testing.assert_array_equal(image_codec.decode_compressed(data, form=form), scene())
    grey = image_codec.decode_compressed(data, form="mono8; png compressed ")
    assert np.ptp(grey, axis=2).max() == 0
    deep = cv2.imencode(".png", np.array([[0, 1024, 4095]], np.uint16))[1].tobytes()
    decoded = image_codec.decode_compressed(deep, form="16UC1; png compressed ")
    assert decoded[0, :, 1].tolist() == [0, 64, 255]
    for form in ("16UC1; compressedDepth", "32FC1; compressedDepth png"):
        with pytest.raises(ImageError, match="'%s' is a depth image" % form):
            image_codec.decode_compressed(deep, form=form)
        with pytest.raises(ImageError, match="'%s' is a depth image" % form):
            image_codec.decode_compressed_labels(deep, form)


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize(
    ("encoding", "array", "tolerance"), list(colour_cases()), ids=lambda value: str(value)[:12]
)
def test_colour_encodings(encoding, array, tolerance, padding):
    decoded = image_codec.decode_image(*fields(encoding, array, padding))
    assert decoded.shape == (HEIGHT, WIDTH, 3)
    assert decoded.dtype == np.uint8
    difference = np.abs(decoded.astype(int) - scene())[2:-2, 2:-2]
    assert difference.max() <= tolerance


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_grey_becomes_three_equal_channels(encoding):
    grey = scene()[..., 0]
    decoded = image_codec.decode_image(*fields(encoding, grey, padding=3))
    np.testing.assert_array_equal(decoded, np.stack([grey] * 3, axis=-1))


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("padding", [0, 5])
def test_sixteen_bit_pixels_in_both_byte_orders(big_endian, padding):
    grey = np.array([[0, 257, 65535], [514, 25700, 2570]], np.uint16)
    decoded = image_codec.decode_image(*fields("mono16", grey, padding, big_endian))
    assert decoded[..., 0].tolist() == [[0, 1, 255], [2, 100, 10]]


@pytest.mark.parametrize(
    ("stretch", "expected"),
    [
        ("auto", [0, 64, 255]),  # 4095 fits into 12 bits.
        ("12", [0, 64, 255]),
        ("16", [0, 4, 16]),
        ("10", [0, 255, 255]),
        ("minmax", [0, 64, 255]),
    ],
)
def test_stretch_of_a_twelve_bit_camera(stretch, expected):
    grey = np.array([[0, 1024, 4095]], np.uint16)
    decoded = image_codec.decode_image(*fields("mono16", grey), stretch=stretch)
    assert decoded[0, :, 2].tolist() == expected


def test_minmax_stretch_starts_at_the_darkest_pixel():
    grey = np.array([[1000, 1040, 1200]], np.uint16)
    decoded = image_codec.decode_image(*fields("16UC1", grey), stretch="minmax")
    assert decoded[0, :, 0].tolist() == [0, 51, 255]
    with pytest.raises(ImageError, match="unknown stretch '9'"):
        image_codec.decode_image(*fields("mono16", grey), stretch="9")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_data_of_rospy_and_of_rosbags(kind):
    encoding, height, width, step, big, data = fields("bgr8", scene())
    expected = image_codec.decode_image(encoding, height, width, step, big, data)
    found = image_codec.decode_image(encoding, height, width, step, big, kind(data))
    array = np.frombuffer(data, np.uint8)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(
        image_codec.decode_image(encoding, height, width, step, big, array), expected
    )


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"encoding": "rgb9"}, "unknown image encoding 'rgb9'"),
        ({"encoding": ""}, "unknown image encoding ''"),
        ({"height": 0}, "needs rows of at least 12 bytes"),
        ({"width": 0}, "image of 3x0"),
        ({"width": 2**32 - 1}, "12884901885 bytes"),
        ({"height": 2**32 - 1, "step": 2**32 - 1}, "found rows of 4294967295, 36 bytes in all"),
        ({"step": 11}, "found rows of 11"),
        ({"step": 0}, "found rows of 0"),
        ({"data": b"\0" * 35}, "35 bytes in all"),
        ({"data": b"\0" * 37}, "37 bytes in all"),
        ({"data": b""}, "0 bytes in all"),
        ({"data": None}, "NoneType; expected bytes"),
        ({"encoding": "yuv422", "width": 3}, "odd width"),
    ],
)
def test_contradicting_fields(changes, part):
    message = {"encoding": "rgb8", "height": 3, "width": 4, "step": 12, "is_bigendian": 0}
    message["data"] = b"\0" * 36
    assert image_codec.decode_image(**message).shape == (3, 4, 3)
    message.update(changes)
    with pytest.raises(ImageError) as caught:
        image_codec.decode_image(**message)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (5, 1), (2, 2)])
def test_tiny_bayer_images_do_no_harm(size):
    array = np.full(size, 50, np.uint8)
    assert image_codec.decode_image(*fields("bayer_rggb8", array)).shape == size + (3,)


@pytest.mark.parametrize(("extension", "tolerance"), [(".png", 0), (".jpg", 6)])
def test_compressed_colour(extension, tolerance):
    data = cv2.imencode(extension, scene()[..., ::-1])[1]
    for form in (data.tobytes(), data.ravel()):
        decoded = image_codec.decode_compressed(form)
        assert np.abs(decoded.astype(int) - scene()).max() <= tolerance


def test_compressed_grey_and_deep_images():
    grey = scene()[..., 1]
    decoded = image_codec.decode_compressed(cv2.imencode(".jpg", grey)[1].tobytes())
    assert decoded.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(decoded.astype(int) - grey[..., np.newaxis]).max() <= 6
    deep = (np.arange(WIDTH, dtype=np.uint16) * 65).reshape(1, WIDTH)  # Up to 12 bits.
    decoded = image_codec.decode_compressed(cv2.imencode(".png", deep)[1].tobytes())
    assert decoded[0, -1].tolist() == [255] * 3


def cv_bridge_cases():
    for encoding, array, _ in colour_cases():
        if encoding not in (
            "8UC3",
            "8UC4",
            "yuv422_yuy2",
            "uyvy",
            "yuyv",
        ):  # Noetic's cv_bridge has no rgb8 of them.
            yield encoding, array
    yield "mono8", scene()[..., 0]
    yield "mono16", (scene()[..., 0].astype(np.uint16) << 8)


@pytest.mark.parametrize(
    ("encoding", "array"), list(cv_bridge_cases()), ids=lambda value: str(value)[:12]
)
def test_pixels_are_those_of_cv_bridge(encoding, array):
    cv_bridge = pytest.importorskip("cv_bridge")
    from sensor_msgs.msg import Image

    names = ("encoding", "height", "width", "step", "is_bigendian", "data")
    message = Image(**dict(zip(names, fields(encoding, array))))
    expected = cv_bridge.CvBridge().imgmsg_to_cv2(message, "rgb8")
    np.testing.assert_array_equal(image_codec.decode_image(*fields(encoding, array)), expected)


def test_damaged_compressed_images():
    for data in (b"", b"no image", None):
        with pytest.raises(ImageError, match="compressed image"):
            image_codec.decode_compressed(data)


def test_labels_survive_png_but_jpeg_is_refused():
    labels = np.random.RandomState(0).randint(0, 256, (20, 30)).astype(np.uint8)
    np.testing.assert_array_equal(
        image_codec.decode_compressed_labels(image_codec.encode_png(labels)), labels
    )
    with pytest.raises(ImageError, match="JPEG"):
        image_codec.decode_compressed_labels(cv2.imencode(".jpg", labels)[1].tobytes())
    with pytest.raises(ImageError, match="has 3 channels"):
        image_codec.decode_compressed_labels(cv2.imencode(".png", scene())[1].tobytes())


@pytest.mark.parametrize(
    ("encoding", "dtype", "none"),
    [("mono8", np.uint8, 255), ("16UC1", np.uint16, 65535), ("32SC1", np.int32, -1)],
)
@pytest.mark.parametrize("big_endian", [False, True])
def test_labels_in_every_encoding(encoding, dtype, none, big_endian):
    labels = np.array([[0, 3, none], [255, 10, 1]], dtype)
    decoded = image_codec.decode_labels(*fields(encoding, labels, 4, big_endian))
    assert decoded.dtype == np.uint8
    assert decoded.tolist() == [[0, 3, 255], [255, 10, 1]]


def test_labels_above_the_range_are_no_labels():
    with pytest.raises(ImageError, match="label 300 in a label image"):
        image_codec.decode_labels(*fields("16UC1", np.array([[300]], np.uint16)))
    with pytest.raises(ImageError, match="unknown label encoding 'rgb8'"):
        image_codec.decode_labels(*fields("rgb8", scene()))


@pytest.mark.parametrize("big_endian", [0, 1])
def test_disparities_have_one_way_to_be_unknown(big_endian):
    disparity = np.array([[1.5, 0, -1], [np.nan, np.inf, 80]], np.float32)
    decoded = image_codec.decode_disparity(*fields("32FC1", disparity, 4, big_endian))
    np.testing.assert_array_equal(decoded, np.array([[1.5, 0, 0], [0, 0, 80]], np.float32))
    assert decoded.dtype == np.float32
    with pytest.raises(ImageError, match="unknown disparity encoding '16UC1'; available: 32FC1"):
        image_codec.decode_disparity(*fields("16UC1", np.ones((2, 2), np.uint16)))


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8"])
def test_encoded_colours_come_back(encoding):
    height, width, name, big, step, data = image_codec.encode_image(scene(), encoding)
    assert (height, width, name, len(data)) == (HEIGHT, WIDTH, encoding, step * height)
    decoded = image_codec.decode_image(name, height, width, step, big, data)
    np.testing.assert_array_equal(decoded, scene())


@pytest.mark.parametrize("encoding", ["mono8", "16UC1", "32SC1"])
def test_encoded_labels_come_back(encoding):
    labels = scene()[..., 2]
    height, width, name, big, step, data = image_codec.encode_image(labels, encoding)
    decoded = image_codec.decode_labels(name, height, width, step, big, data)
    np.testing.assert_array_equal(decoded, labels)


def test_encoded_probabilities():
    array = np.random.RandomState(0).rand(4, 5, 11).astype(np.float32)
    height, width, _, _, step, data = image_codec.encode_image(array, "32FC11")
    assert (height, width, step) == (4, 5, 5 * 11 * 4)
    np.testing.assert_array_equal(np.frombuffer(data, np.float32).reshape(4, 5, 11), array)


def test_arrays_that_do_not_fit_the_encoding():
    with pytest.raises(ImageError, match=r"cannot encode float32 of shape \[2, 2\] as mono8"):
        image_codec.encode_image(np.zeros((2, 2), np.float32), "mono8")
    with pytest.raises(ImageError, match="as rgb8"):
        image_codec.encode_image(np.zeros((2, 2), np.uint8), "rgb8")
    with pytest.raises(ImageError, match="unknown image encoding 'mono9'"):
        image_codec.encode_image(np.zeros((2, 2), np.uint8), "mono9")
