"""What an image file says before any of its pixels is decoded: format, size, orientation, end.

OpenCV's versions differ in what they do with orientation tags, text chunks, transparency and
files that are cut off. So all of that is read here, and a decoder is given the bytes without it.
"""

import re
import struct
import zlib
from typing import Callable, Dict, NamedTuple, Optional, Tuple

from semseg.errors import ImageError

UPRIGHT = 1
"""The EXIF orientation of an image whose first row is the top and first column the left."""

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_JPEG_MARKER = re.compile(b"\xff+([\x01-\xcf\xd8-\xfe])")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN, _JPEG_END, _JPEG_APP1 = 0xDA, 0xD9, 0xE1
_JPEG_ALONE = frozenset((0x01, 0xD8))  # Markers without a length.
_EXIF = b"Exif\0\0"
_PNG_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_PNM = re.compile(rb"P([1-6])" + 3 * rb"(?:(?:\s+|#[^\n\r]*[\n\r])+(\d+))?")
_TIFF_TYPES = {1: "B", 3: "H", 4: "L"}
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION = 256, 257, 258, 262, 274
_EXTRA_SAMPLES, _SAMPLE_FORMAT, _ALPHA_AS_STORED = 338, 339, 1
_PIECES = ((273, 279), (324, 325))  # Offsets and lengths of strips, of tiles.
_STRANGERS = (
    (b"version https://git-lfs", "a Git LFS pointer; fetch the file with git lfs pull"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"GIF8", "a GIF"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"P7\n", "a PAM"),
    (b"II+\0", "a BigTIFF"),
    (b"MM\0+", "a BigTIFF"),
    (b"%PDF", "a PDF"),
)
FORMATS = "JPEG, PNG, TIFF, BMP, WebP or PNM"


class Header(NamedTuple):
    """What a file says of its image.

    Attributes:
      kind: one of the names in ``FORMATS``.
      height: rows as stored.
      width: pixels per row as stored.
      data: the file without what changes the pixels of one decoder and not of another.
      orientation: 1..8, as EXIF numbers them.
      largest: the number of the brightest value where the pixels are still to be scaled by it.
      refusal: why its pixels are none of a camera image, such as floats; label files may have them.
    """

    kind: str
    height: int
    width: int
    data: bytes
    orientation: int = UPRIGHT
    largest: int = 0
    refusal: str = ""


def read_header(data: bytes) -> Header:
    """Reads what an image file says of itself.

    Args:
      data: the whole file.

    Returns:
      Its header; sizes are at least 1, nothing of that size has been allocated.

    Raises:
      ImageError: no image of a known format, cut off, or of pixels that nobody reads alike. The
        text does not name the file.
    """
    read = _reader_of(data)
    if read is None:
        raise ImageError(_stranger(data))
    try:
        header = read(data)
    except (struct.error, IndexError):
        raise ImageError("damaged, cut off or no image (%d bytes)" % len(data))
    if header.height < 1 or header.width < 1:
        raise ImageError("%s of size %dx%d" % (header.kind, header.height, header.width))
    return header


def _reader_of(data: bytes) -> Optional[Callable[[bytes], Header]]:
    readers = {_JPEG: _read_jpeg, _PNG: _read_png, b"BM": _read_bmp}  # type: Dict[bytes, Callable]
    readers.update({b"II*\0": _read_tiff, b"MM\0*": _read_tiff})
    for signature, reader in readers.items():
        if data.startswith(signature):
            return reader
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _read_webp
    return _read_pnm if _PNM.match(data) else None


def _stranger(data: bytes) -> str:
    for start, name in _STRANGERS:
        if data[: len(start)].lower() == start.lower():
            return "is %s; expected %s" % (name, FORMATS)
    if data[4:8] == b"ftyp":
        return "is a HEIC, AVIF or video file; expected %s" % FORMATS
    return "damaged, cut off or no image (%d bytes); expected %s" % (len(data), FORMATS)


def _read_jpeg(data: bytes) -> Header:
    size, orientation, position = None, None, 2
    while True:
        # Within a scan, a byte ff is followed by 0 or by the number of a restart.
        marker = _JPEG_MARKER.search(data, position)
        if marker is None:
            raise ImageError("JPEG is cut off (%d bytes)" % len(data))
        code, position = ord(marker.group(1)), marker.end()
        if code in _JPEG_ALONE:
            continue
        if code == _JPEG_END:
            break
        length = struct.unpack_from(">H", data, position)[0]
        if position + length > len(data):
            raise ImageError("JPEG is cut off (%d bytes)" % len(data))
        if code in _JPEG_FRAMES and size is None:
            bits, height, width = struct.unpack_from(">BHH", data, position + 2)
            if bits != 8:
                raise ImageError("is a JPEG of %d bits; expected 8" % bits)
            size = height, width
        if code == _JPEG_APP1 and orientation is None:
            segment = data[position + 2 : position + length]
            if segment.startswith(_EXIF):
                orientation = _exif_orientation(segment[len(_EXIF) :])
        position += max(length, 2)
    if size is None:
        raise ImageError("damaged, cut off or no image (%d bytes)" % len(data))
    return Header("JPEG", size[0], size[1], data, orientation or UPRIGHT)


def _read_png(data: bytes) -> Header:
    orientation, kept, position = UPRIGHT, [_PNG], len(_PNG)
    while True:
        if position + 12 > len(data):
            raise ImageError("PNG is cut off (%d bytes)" % len(data))
        length, kind = struct.unpack_from(">L4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise ImageError("PNG is cut off (%d bytes)" % len(data))
        if kind in _PNG_PIXELS:
            checksum = struct.unpack_from(">L", data, end - 4)[0]
            if zlib.crc32(data[position + 4 : end - 4]) & 0xFFFFFFFF != checksum:
                raise ImageError("PNG is damaged: its part at byte %d" % position)
            kept.append(data[position:end])
        elif kind == b"eXIf":
            orientation = _exif_orientation(data[position + 8 : end - 4])
        position = end
        if kind == b"IEND":
            break
    width, height = struct.unpack_from(">LL", data, len(_PNG) + 8)
    return Header("PNG", height, width, b"".join(kept), orientation)


def _read_webp(data: bytes) -> Header:
    if struct.unpack_from("<L", data, 4)[0] + 8 > len(data):
        raise ImageError("WebP is cut off (%d bytes)" % len(data))
    size, orientation, position = None, UPRIGHT, 12
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sL", data, position)
        start = position + 8
        if kind == b"VP8X":
            if data[start] & 2:
                raise ImageError("is an animated WebP; expected one image")
        elif kind == b"VP8 ":
            width, height = struct.unpack_from("<HH", data, start + 6)
            size = height & 0x3FFF, width & 0x3FFF
        elif kind == b"VP8L":
            packed = struct.unpack_from("<L", data, start + 1)[0]
            size = (packed >> 14 & 0x3FFF) + 1, (packed & 0x3FFF) + 1
        elif kind == b"EXIF":
            exif = data[start : start + length]
            orientation = _exif_orientation(exif[len(_EXIF) :] if exif.startswith(_EXIF) else exif)
        position = start + length + length % 2
    if size is None:
        raise ImageError("damaged, cut off or no image (%d bytes)" % len(data))
    return Header("WebP", size[0], size[1], data, orientation)


def _read_bmp(data: bytes) -> Header:
    pixels, header_bytes = struct.unpack_from("<LL", data, 10)
    if header_bytes == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<llHHL", data, 18)
    height = abs(height)  # Negative: the first row is the top.
    if compression in (0, 3) and pixels + (width * bits + 31) // 32 * 4 * height > len(data):
        raise ImageError("BMP is cut off (%d bytes)" % len(data))
    return Header("BMP", height, width, data)


def _read_pnm(data: bytes) -> Header:
    number, width, height, largest = _PNM.match(data).groups()  # type: ignore[union-attr]
    if width is None or height is None:
        raise ImageError("damaged, cut off or no image (%d bytes)" % len(data))
    if number in (b"1", b"2", b"3"):
        data += b"\n"  # OpenCV wants more than the last digit.
    # It scales the numbers that are written as text, not those that are stored as bytes.
    scale = int(largest) if number in (b"5", b"6") and largest else 0
    return Header("PNM", int(height), int(width), data, largest=scale if scale < 255 else 0)


def _read_tiff(data: bytes) -> Header:
    tags = _tiff_tags(data)

    def value(tag: int, default: int) -> int:
        return tags[tag].values[0] if tag in tags and tags[tag].values else default

    bits, refusal = value(_BITS, 1), ""
    if value(_SAMPLE_FORMAT, 1) not in (1, 4) or bits not in (1, 2, 4, 8, 16):
        form = {2: "signed", 3: "float"}.get(value(_SAMPLE_FORMAT, 1), "integer")
        refusal = "is a TIFF of %d-bit %s pixels; expected unsigned ones of 1 to 8 or 16 bits" % (
            bits,
            form,
        )
    if bits == 16 and value(_PHOTOMETRIC, 1) == 0:
        refusal = "is a 16-bit TIFF in which 0 is white; expected 0 to be black"
    for offsets, lengths in _PIECES:
        if offsets in tags and lengths in tags:
            pieces = zip(tags[offsets].values, tags[lengths].values)
            if any(offset + length > len(data) for offset, length in pieces):
                raise ImageError("TIFF is cut off (%d bytes)" % len(data))
    orientation = value(_ORIENTATION, UPRIGHT)
    # Some decoders turn the image themselves, and some multiply it with its transparency.
    changed = bytearray(data)
    for tag, kept in ((_ORIENTATION, UPRIGHT), (_EXTRA_SAMPLES, _ALPHA_AS_STORED)):
        if tag in tags and tags[tag].values:
            struct.pack_into(tags[tag].form, changed, tags[tag].place, kept)
    size = value(_HEIGHT, 0), value(_WIDTH, 0)
    turn = _checked_orientation(orientation)
    return Header("TIFF", size[0], size[1], bytes(changed), turn, refusal=refusal)


class _Tag(NamedTuple):
    values: Tuple[int, ...]
    form: str  # Of one value, as ``struct`` writes it.
    place: int


def _tiff_tags(data: bytes) -> Dict[int, _Tag]:
    """Returns the numbers of the first directory of a TIFF file, or of EXIF data."""
    order = "<" if data[:2] == b"II" else ">"
    tags = {}
    directory = struct.unpack_from(order + "L", data, 4)[0]
    for index in range(struct.unpack_from(order + "H", data, directory)[0]):
        entry = directory + 2 + 12 * index
        tag, kind, count = struct.unpack_from(order + "HHL", data, entry)
        if kind not in _TIFF_TYPES:
            continue
        form = order + _TIFF_TYPES[kind]
        place, length = entry + 8, struct.calcsize(form) * count
        if length > 4:
            place = struct.unpack_from(order + "L", data, place)[0]
        if place + length > len(data):
            raise ImageError("TIFF is cut off (%d bytes)" % len(data))
        values = struct.unpack_from("%s%d%s" % (order, count, form[-1]), data, place)
        tags[tag] = _Tag(values, form, place)
    return tags


def _exif_orientation(exif: bytes) -> int:
    """Returns the orientation that EXIF data tell; damaged data tell none."""
    if exif[:4] not in (b"II*\0", b"MM\0*"):
        return UPRIGHT
    order = "<" if exif[:2] == b"II" else ">"
    try:
        directory = struct.unpack_from(order + "L", exif, 4)[0]
        for index in range(struct.unpack_from(order + "H", exif, directory)[0]):
            entry = directory + 2 + 12 * index
            tag, kind = struct.unpack_from(order + "HH", exif, entry)
            if tag == _ORIENTATION and kind in _TIFF_TYPES:
                found = struct.unpack_from(order + _TIFF_TYPES[kind], exif, entry + 8)
                return _checked_orientation(found[0])
    except struct.error:
        return UPRIGHT
    return UPRIGHT


def _checked_orientation(found: int) -> int:
    return found if 1 <= found <= 8 else UPRIGHT
