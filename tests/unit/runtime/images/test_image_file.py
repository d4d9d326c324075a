"""Every kind of image file comes out as the scene that it stores; what is damaged is named."""

import os

import cv2
import numpy as np
import pytest

from semseg.errors import ConfigError, ImageError
from semseg.runtime.images import image_file
from semseg.runtime.images.image_codec import decode_compressed


def test_every_kind_shows_its_scene(image_kind, tmp_path):
    path = tmp_path / image_kind.name
    path.write_bytes(image_kind.data)
    found = image_file.read_image(path)
    assert (found.dtype, found.shape) == (np.uint8, image_kind.rgb.shape)
    assert found.flags.c_contiguous
    difference = np.abs(found.astype(int) - image_kind.rgb)
    assert difference.max() <= image_kind.tolerance
    for data in (image_kind.data, np.frombuffer(image_kind.data, np.uint8)):
        np.testing.assert_array_equal(decode_compressed(data), found)


def test_what_is_damaged_is_named(image_files):
    for name, data, part in image_files.damaged():
        with pytest.raises(ImageError) as caught:
            image_file.decode_image(data, "front.x")
        message = str(caught.value)
        assert part in message, name
        assert message.startswith("front.x: "), name
        assert "\n" not in message, name


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ImageError, match=r"absent\.png: cannot be read: No such file"):
        image_file.read_image(tmp_path / "absent.png")
    with pytest.raises(ImageError, match="cannot be read: Is a directory"):
        image_file.read_image(str(tmp_path))


def test_too_large_an_image_is_refused_by_its_size(image_files, monkeypatch):
    decoded = []
    monkeypatch.setattr(cv2, "imdecode", lambda *arguments: decoded.append(arguments))
    for kind, data in image_files.bombs():
        with pytest.raises(ImageError) as caught:
            image_file.decode_image(data, "bomb")
        expected = "bomb: is a %s of 30000x20000, 600 megapixels; expected at most 200" % kind
        assert str(caught.value) == expected + " (set SEMSEG_MAX_MEGAPIXELS to allow more)"
    assert decoded == []


def test_the_largest_size_is_a_setting(image_files, monkeypatch):
    data = image_files.png(image_files.scene(), 2, 8)
    monkeypatch.setitem(os.environ, "SEMSEG_MAX_MEGAPIXELS", "0.0007")  # 24 * 32 are 0.000768.
    with pytest.raises(ImageError, match=r"24x32, 0 megapixels; expected at most 0\.0007"):
        image_file.decode_image(data, "a")
    monkeypatch.setitem(os.environ, "SEMSEG_MAX_MEGAPIXELS", "0.0008")
    assert image_file.decode_image(data, "a").shape == (24, 32, 3)
    monkeypatch.setitem(os.environ, "SEMSEG_MAX_MEGAPIXELS", "many")
    with pytest.raises(ConfigError, match="SEMSEG_MAX_MEGAPIXELS: expected megapixels.*'many'"):
        image_file.decode_image(data, "a")


@pytest.mark.parametrize("error", [cv2.error("cv"), MemoryError()])
def test_what_a_decoder_raises_is_one_file_s_error(image_files, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(cv2, "imdecode", fail)
    with pytest.raises(ImageError, match="a: PNG cannot be decoded: (cv|out of memory)"):
        image_file.decode_image(image_files.png(image_files.scene(), 2, 8), "a")


def test_labels_that_fit_the_stored_pixels_are_told_of(image_files, tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(image_files.tiff(image_files.scene(), 2, tags={274: [6]}))
    assert image_file.read_image(path).shape == (32, 24, 3)
    assert "EXIF orientation 6 turns" in image_file.exif_hint(path, (24, 32))
    assert not image_file.exif_hint(path, (24, 33))
    path.write_bytes(image_files.tiff(image_files.scene(), 2))
    assert not image_file.exif_hint(path, (24, 32))


def test_the_stretch_is_that_of_messages(image_files):
    deep = np.array([[0, 1024, 4095]], np.uint16)
    data = image_files.png(deep, 0, 16)
    assert image_file.decode_image(data, "a")[0, :, 0].tolist() == [0, 64, 255]
    assert image_file.decode_image(data, "a", "16")[0, :, 0].tolist() == [0, 4, 16]
