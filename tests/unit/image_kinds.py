"""One scene in every kind of image file, written byte by byte. Python 3.6 syntax.

Nothing but numpy and OpenCV is needed, so that the robot's own Python reads the same bytes.
"""

import base64
import struct
import zlib
from typing import NamedTuple

import cv2
import numpy as np

HEIGHT, WIDTH = 24, 32


class ImageKind(NamedTuple):
    """A file and what it shows.

    Attributes:
      name: of the kind, with the suffix of such files.
      data: the file.
      rgb: what it shows, uint8 (H, W, 3).
      tolerance: how far a pixel may be off.
    """

    name: str
    data: bytes
    rgb: np.ndarray
    tolerance: int


def scene():
    """A smooth colour image that differs from all of its turned and mirrored images."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([220 - 6 * y, 30 + 6 * x, 20 + 3 * y + 2 * x], axis=-1).astype(np.uint8)


# What a camera stores that is to be shown as ``upright``.
STORED = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: np.swapaxes(upright, 0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.swapaxes(np.rot90(upright, 2), 0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


def exif(orientation, order="<"):
    start = struct.pack(order + "2sHL", b"II" if order == "<" else b"MM", 42, 8)
    entries = struct.pack(order + "HHHLHH", 1, 0x112, 3, 1, orientation, 0)
    return start + entries + struct.pack(order + "L", 0)


def jpeg(pixels, *options):
    if pixels.ndim == 3:
        pixels = pixels[..., ::-1]
    whole = [cv2.IMWRITE_JPEG_QUALITY, 100] + list(options)
    return cv2.imencode(".jpg", np.ascontiguousarray(pixels), whole)[1].tobytes()


def with_segment(data, marker, content):
    """Adds a segment behind the start of a JPEG."""
    return data[:2] + struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content + data[2:]


def png(pixels, color_type, bits, *chunks):
    """Encodes uint8 or uint16 (H, W) or (H, W, channels) of ``bits`` bits."""
    height, width = pixels.shape[:2]
    if bits == 16:
        rows = pixels.astype(">u2").reshape(height, -1).view(np.uint8)
    elif bits == 8:
        rows = pixels.astype(np.uint8).reshape(height, -1)
    else:
        rows = np.unpackbits(pixels.astype(np.uint8)[..., np.newaxis], axis=2)[..., -bits:]
        rows = np.packbits(rows.reshape(height, -1), axis=1)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">LLBBBBB", width, height, bits, color_type, 0, 0, 0)
    parts = [(b"IHDR", header)] + list(chunks) + [(b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)


def png_chunk(kind, content):
    checksum = zlib.crc32(kind + content) & 0xFFFFFFFF
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", checksum)


def tiff(pixels, photometric, order="<", bits=None, tags=()):
    """Encodes one strip without compression."""
    height, width = pixels.shape[:2]
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    bits = bits or pixels.itemsize * 8
    if bits == 1:
        strip = np.packbits(pixels, axis=1).tobytes()
    else:
        strip = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    values = {256: [width], 257: [height], 258: [bits] * samples, 259: [1], 262: [photometric]}
    values.update({273: [8], 277: [samples], 278: [height], 279: [len(strip)], 284: [1]})
    values.update(tags)
    directory = 8 + len(strip) + len(strip) % 2
    later = directory + 2 + 12 * len(values) + 4
    entries, behind = b"", b""
    for tag, numbers in sorted(values.items()):
        packed = struct.pack("%s%dH" % (order, len(numbers)), *numbers)
        if len(packed) > 4:
            place = struct.pack(order + "L", later + len(behind))
            behind += packed
        else:
            place = packed.ljust(4, b"\0")
        entries += struct.pack(order + "HHL", tag, 3, len(numbers)) + place
    start = struct.pack(order + "2sHL", b"II" if order == "<" else b"MM", 42, directory)
    count = struct.pack(order + "H", len(values))
    return start + strip + b"\0" * (len(strip) % 2) + count + entries + b"\0\0\0\0" + behind


def webp(pixels):
    bgr = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()


def webp_with_exif(pixels, orientation):
    content = exif(orientation)
    size = [side - 1 for side in (pixels.shape[1], pixels.shape[0])]
    sides = b"".join(struct.pack("<L", side)[:3] for side in size)
    extended = struct.pack("<4sLL", b"VP8X", 10, 8) + sides
    chunks = extended + webp(pixels)[12:]
    chunks += struct.pack("<4sL", b"EXIF", len(content)) + content
    return struct.pack("<4sL4s", b"RIFF", 4 + len(chunks), b"WEBP") + chunks


def pnm(number, pixels, largest=None):
    height, width = pixels.shape[:2]
    text = "P%d\n# a comment\n%d %d\n" % (number, width, height)
    if largest is not None:
        text += "%d\n" % largest
    if number in (1, 2, 3):
        body = " ".join(str(value) for value in pixels.ravel()).encode()
    elif number == 4:
        body = np.packbits(pixels, axis=1).tobytes()
    else:
        body = pixels.astype(">u2" if largest > 255 else np.uint8).tobytes()
    return text.encode() + body


# 8 rows of 16 CMYK pixels, (0, 128, 255, 0) left and (200, 0, 30, 60) right, by an Adobe encoder.
CMYK_JPEG = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBET"
    "FBUVFQwPFxgWFBgSFBUU/8AAFAgACAAQBEMRAE0RAFkRAEsRAP/EABcAAQEBAQAAAAAAAAAAAAAAAAkKAgj/xAAUEAEAAAAA"
    "AAAAAAAAAAAAAAAA/9oADgRDAE0AWQBLAAA/AFTYFUVNPSVZSw5ff//Z"
)
CMYK_SHOWN = np.repeat(np.array([[(255, 127, 0), (42, 195, 172)]], np.uint8), 8, 0).repeat(8, 1)


def image_kinds():
    """Yields an ``ImageKind`` for each way in which the scene is stored."""
    kinds = [_jpegs(), _pngs(), _deep_pngs(), _tiffs(), _others(), _pnms()]
    for kind in kinds:
        for name, data, rgb, tolerance in kind:
            yield ImageKind(name, data, rgb, tolerance)


def _grey(plane):
    return np.stack([plane] * 3, axis=-1)


def _jpegs():
    rgb = scene()
    yield "colour.jpg", jpeg(rgb), rgb, 6
    yield "progressive.jpg", jpeg(rgb, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), rgb, 6
    yield "grey.jpg", jpeg(rgb[..., 1]), _grey(rgb[..., 1]), 2
    yield "cmyk.jpg", CMYK_JPEG, CMYK_SHOWN, 2
    for orientation, store in STORED.items():
        tag = b"Exif\0\0" + exif(orientation, "<>"[orientation % 2])
        yield "exif%d.jpg" % orientation, with_segment(jpeg(store(rgb)), 0xE1, tag), rgb, 6
    small = b"Exif\0\0" + exif(3) + jpeg(rgb[:8, :8])  # As with the thumbnail of a camera.
    turned = np.rot90(rgb, 2)
    yield "thumbnail.jpg", with_segment(jpeg(turned), 0xE1, small), rgb, 6
    yield "trailer.jpg", jpeg(rgb) + b"\0" * 50 + jpeg(rgb)[:200], rgb, 6
    yield "comments.jpg", with_segment(jpeg(rgb), 0xFE, b"\xff\xd9" * 30000), rgb, 6


def _pngs():
    rgb = scene()
    alpha = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    plane = rgb[..., 1]
    yield "colour.png", png(rgb, 2, 8), rgb, 0
    yield "grey.png", png(plane, 0, 8), _grey(plane), 0
    yield "alpha.png", png(np.dstack([rgb, alpha]), 6, 8), rgb, 0
    yield "greyalpha.png", png(np.dstack([plane, alpha]), 4, 8), _grey(plane), 0
    for bits in (1, 2, 4):
        few = plane >> (8 - bits)
        shown = _grey((few * (255 // (2**bits - 1))).astype(np.uint8))
        yield "grey%d.png" % bits, png(few, 0, bits), shown, 0
    for bits in (1, 2, 4, 8):
        few = plane >> (8 - bits)
        colors = np.random.RandomState(bits).randint(0, 256, (2**bits, 3)).astype(np.uint8)
        palette = (b"PLTE", colors.tobytes())
        clear = (b"tRNS", bytes(bytearray(2**bits)))
        yield "palette%d.png" % bits, png(few, 3, bits, palette), colors[few], 0
        yield "palette%dalpha.png" % bits, png(few, 3, bits, palette, clear), colors[few], 0
    yield "key.png", png(rgb, 2, 8, (b"tRNS", struct.pack(">HHH", *map(int, rgb[3, 3])))), rgb, 0
    text = (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"x" * 9000000)
    bomb = (b"zTXt", b"Comment\0\0" + zlib.compress(b"y" * 12000000))
    yield "text.png", png(rgb, 2, 8, text, bomb), rgb, 0
    yield "animated.png", png(rgb, 2, 8, (b"acTL", struct.pack(">LL", 1, 0))), rgb, 0
    yield "exif6.png", png(np.rot90(rgb, 1), 2, 8, (b"eXIf", exif(6))), rgb, 0


def _deep_pngs():
    rgb = scene()
    plane = rgb[..., 1]
    for bits in (10, 12, 16):
        deep = np.rint(plane * ((2**bits - 1) / 255.0)).astype(np.uint16)
        deep[0, 0] = 2**bits - 1  # The brightest pixel tells how many bits there are.
        shown = plane.copy()
        shown[0, 0] = 255
        yield "grey%d.png" % bits, png(deep, 0, 16), _grey(shown), 1
    deep = rgb.astype(np.uint16) * 257
    deep[0, 0] = 65535
    shown = rgb.copy()
    shown[0, 0] = 255
    clear = np.zeros((HEIGHT, WIDTH, 1), np.uint16)
    yield "colour16.png", png(deep, 2, 16), shown, 0
    yield "alpha16.png", png(np.dstack([deep, clear]), 6, 16), shown, 0
    dark = rgb.astype(np.uint16) * 4
    dark[0, 0] = 1023
    # An opaque image is not brighter than its colours are.
    opaque = np.dstack([dark, np.full_like(clear, 65535)])
    yield "dark16.png", png(opaque, 6, 16), shown, 1


def _tiffs():
    rgb = scene()
    plane = rgb[..., 1]
    alpha = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    for order in "<>":
        name = "little" if order == "<" else "big"
        yield "%s.tif" % name, tiff(rgb, 2, order), rgb, 0
        yield "%s_grey.tif" % name, tiff(plane, 1, order), _grey(plane), 0
        deep = rgb.astype(np.uint16) * 257
        deep[0, 0] = 65535
        shown = rgb.copy()
        shown[0, 0] = 255
        yield "%s16.tif" % name, tiff(deep, 2, order), shown, 0
        yield "%s_grey16.tif" % name, tiff(deep[..., 0], 1, order), _grey(shown[..., 0]), 0
    yield "bit.tif", tiff(plane >> 7, 1, bits=1), _grey((plane >> 7) * 255), 0
    yield "fax.tif", tiff(plane >> 7, 0, bits=1), _grey((1 - (plane >> 7)) * 255), 0
    clear = tiff(np.dstack([rgb, alpha]), 2, tags={338: [2]})
    yield "alpha.tif", clear, rgb, 0
    colors = np.random.RandomState(0).randint(0, 256, (256, 3)).astype(np.uint16)
    table = (colors.T * 257).ravel().tolist()
    yield "palette.tif", tiff(plane, 3, tags={320: table}), colors.astype(np.uint8)[plane], 0
    for orientation, store in STORED.items():
        data = tiff(store(rgb), 2, "<>"[orientation % 2], tags={274: [orientation]})
        yield "exif%d.tif" % orientation, data, rgb, 0
    data = tiff(np.rot90(deep, 1), 2, tags={274: [6]})
    yield "exif6_16.tif", data, shown, 0
    yield "packed.tif", cv2.imencode(".tif", rgb[..., ::-1])[1].tobytes(), rgb, 0


def _others():
    rgb = scene()
    plane = rgb[..., 1]
    alpha = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    bgr = rgb[..., ::-1]
    yield "colour.bmp", cv2.imencode(".bmp", bgr)[1].tobytes(), rgb, 0
    yield "grey.bmp", cv2.imencode(".bmp", plane)[1].tobytes(), _grey(plane), 0
    clear = cv2.imencode(".bmp", np.dstack([bgr, alpha + 255]))[1].tobytes()
    yield "alpha.bmp", clear, rgb, 0
    yield "colour.webp", webp(rgb), rgb, 0
    for orientation, store in STORED.items():
        yield "exif%d.webp" % orientation, webp_with_exif(store(rgb), orientation), rgb, 0


def _pnms():
    rgb = scene()
    plane = rgb[..., 1]
    bits = 1 - (plane >> 7)  # 1 is black.
    yield "bits.pbm", pnm(4, bits), _grey((plane >> 7) * 255), 0
    yield "text.pbm", pnm(1, bits), _grey((plane >> 7) * 255), 0
    yield "text.pgm", pnm(2, plane, 255), _grey(plane), 0
    yield "text.ppm", pnm(3, rgb, 255), rgb, 0
    yield "grey.pgm", pnm(5, plane, 255), _grey(plane), 0
    yield "colour.ppm", pnm(6, rgb, 255), rgb, 0
    hundred = np.rint(plane * (100 / 255.0)).astype(np.uint8)
    yield "hundred.pgm", pnm(5, hundred, 100), _grey(plane), 2
    yield "texthundred.pgm", pnm(2, hundred, 100), _grey(plane), 2
    deep = np.rint(plane * (4095 / 255.0)).astype(np.uint16)
    deep[0, 0] = 4095
    shown = plane.copy()
    shown[0, 0] = 255
    yield "deep.pgm", pnm(5, deep, 4095), _grey(shown), 1


def damaged():
    """Yields (name, bytes, part of the message) of files that are no whole image."""
    rgb = np.random.RandomState(0).randint(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    whole = {
        "JPEG": jpeg(rgb),
        "PNG": png(rgb, 2, 8),
        "TIFF": tiff(rgb, 2),
        "BMP": cv2.imencode(".bmp", rgb)[1].tobytes(),
        "WebP": webp(rgb),
        "PNM": pnm(6, rgb, 255),
    }
    for kind, data in sorted(whole.items()):
        for share in (0.3, 0.7, 0.99):
            yield "%s at %g" % (kind, share), data[: int(len(data) * share)], "cut off"
    # The end of a TIFF is its directory, and that of others what a reader would not miss.
    yield "JPEG without end", whole["JPEG"][:-2], "JPEG is cut off"
    yield "JPEG padded", whole["JPEG"][:-900] + b"\0" * 900, "JPEG is cut off"
    small = b"Exif\0\0" + exif(1) + jpeg(rgb)
    yield "JPEG with thumbnail", with_segment(jpeg(rgb), 0xE1, small)[:-99], "JPEG is cut off"
    broken = bytearray(whole["PNG"])
    broken[len(broken) // 2] ^= 255
    yield "PNG of wrong sum", bytes(broken), "PNG is damaged"
    short = png(rgb[:5], 2, 8)
    header = struct.pack(">LLBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    yield "PNG too short", short[:8] + png_chunk(b"IHDR", header) + short[33:], "PNG"
    strips = cv2.imencode(".tif", rgb)[1].tobytes()
    yield "TIFF strips", strips[: len(strips) * 7 // 10], "cut off"
    yield "empty", b"", "(0 bytes)"
    yield "text", b"no image", "damaged, cut off or no image"
    yield "page", b"<!doctype html><html>", "is a web page; expected JPEG, PNG"
    yield "pointer", b"version https://git-lfs.github.com/spec/v1\noid", "is a Git LFS pointer"
    yield "gif", b"GIF89a" + b"\0" * 40, "is a GIF"
    yield "float", tiff(rgb[..., 0].astype(np.float32), 1, tags={339: [3]}), "32-bit float"
    yield "ints", tiff(rgb[..., 0].astype(np.int32), 1, tags={339: [2]}), "32-bit signed"
    for start in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"BM", b"P6", b"RIFF1234WEBP"):
        yield "start %r" % start, start, ""
        for seed in range(5):
            noise = np.random.RandomState(seed).randint(0, 256, 300).astype(np.uint8).tobytes()
            yield "noise %d behind %r" % (seed, start), start + noise, ""


def bombs():
    """Yields (name, a small file that says it is 30000x20000)."""
    height, width = 30000, 20000
    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    small = png(scene(), 2, 8)
    yield "PNG", small[:8] + png_chunk(b"IHDR", header) + small[33:]
    data = bytearray(jpeg(scene()))
    frame = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, frame + 5, height, width)
    yield "JPEG", bytes(data)
    yield "TIFF", tiff(scene(), 2, tags={256: [width], 257: [height]})
    yield "PNM", ("P6 %d %d 255\n" % (width, height)).encode()
