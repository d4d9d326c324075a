"""Image messages that no camera sends: contradictory, huge, empty, or of unknown meaning."""

import random

SIZES = (0, 1, 7, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
ENCODINGS = (
    *("", "rgb8", "bgra8", "mono16", "bayer_rggb8", "yuv422", "32FC1", "64FC4", "16SC2"),
    *("rgb8\0", "jpeg", "%s%n", "../../etc/passwd", "\u202erot", "8UC999999999", "x" * 10000),
)
CLAIMED_MEGAPIXELS = (10000, 10000)


def hostile(message, seed):
    """Changes some fields of a good ``Image`` at random, so that they contradict its data.

    Args:
      message: a good one; it is changed and returned.
      seed: equal seeds make equal messages.
    """
    rng = random.Random(seed)
    for change in rng.sample(_CHANGES, rng.randint(1, 3)):
        change(message, rng)
    return message


def _size(message, rng):
    message.height, message.width = rng.choice(SIZES), rng.choice(SIZES)
    message.data = message.data[: rng.randint(0, 100)]


def _step(message, rng):
    message.step = rng.choice(SIZES)
    message.data = message.data[:-1]


def _encoding(message, rng):
    message.encoding = rng.choice(ENCODINGS)
    message.data = message.data[rng.randint(1, 100) :]


def _data(message, rng):
    message.data = bytes(rng.getrandbits(8) for _ in range(rng.randint(0, 200)))


def _claim(message, rng):
    message.height, message.width = CLAIMED_MEGAPIXELS
    message.step, message.data = 3 * message.width, b"0123456789"


def _endianness(message, rng):
    message.is_bigendian = rng.randint(2, 255)
    message.encoding = "mono16"


def _header(message, rng):
    message.header.frame_id = rng.choice(("", "\0", "/" * 5000, "%d", "\ud7ff"))
    message.header.seq = 2**32 - 1
    message.data = b""


_CHANGES = (_size, _step, _encoding, _data, _claim, _endianness, _header)
