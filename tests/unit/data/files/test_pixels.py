import logging

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from semseg.classes import IGNORE
from semseg.data import load_dataset
from semseg.data.files.pixels import read_raw_ids
from semseg.data.samples.label_decoder import LabelDecoder
from semseg.errors import DatasetError, ImageError
from semseg.runtime.images.image_file import read_image


@pytest.fixture
def decoder(write_declaration):
    return lambda **changes: LabelDecoder(load_dataset(write_declaration(**changes)))


def palette_png(path, indices, palette):
    image = Image.fromarray(np.asarray(indices, np.uint8), "P")
    image.putpalette(palette)
    image.save(path)
    return path


class TestImages:
    def test_a_colour_image_is_rgb(self, write_png):
        path = write_png("a.png", np.full((2, 3, 3), (255, 128, 1), np.uint8))
        assert read_image(path).tolist() == np.full((2, 3, 3), (255, 128, 1)).tolist()

    def test_a_grey_image_becomes_rgb(self, write_png):
        image = read_image(write_png("a.png", np.full((2, 3), 77, np.uint8)))
        assert image.shape == (2, 3, 3)
        assert (image == 77).all()

    def test_a_16_bit_image_becomes_8_bit(self, write_png):
        image = read_image(write_png("a.png", np.full((2, 3), 77 << 8, np.uint16)))
        assert image.dtype == np.uint8
        assert (image == 77).all()

    def test_transparency_is_dropped(self, write_png):
        path = write_png("a.png", np.full((2, 3, 4), (9, 8, 7, 0), np.uint8))
        assert (read_image(path) == (9, 8, 7)).all()

    def test_names_may_have_spaces_and_any_letters(self, write_png):
        path = write_png("Camera 5/Straße 日本.png", np.full((2, 3, 3), 5, np.uint8))
        assert (read_image(path) == 5).all()

    @pytest.mark.parametrize("suffix", [".png", ".jpg"])
    def test_a_truncated_file_is_named(self, tmp_path, suffix):
        noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
        data = cv2.imencode(suffix, noise)[1].tobytes()
        path = tmp_path / f"cut{suffix}"
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(ImageError, match=f"cut{suffix}: .*cut off"):
            read_image(path)

    @pytest.mark.parametrize("content", [b"", b"no image at all"])
    def test_what_is_no_image_is_named(self, tmp_path, content):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(ImageError, match="a.png: damaged"):
            read_image(tmp_path / "a.png")

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(ImageError, match=r"absent.png: cannot be read: No such file"):
            read_image(tmp_path / "absent.png")


class TestRawIds:
    def test_gray8(self, write_png):
        ids = read_raw_ids(write_png("a.png", np.array([[0, 7], [33, 255]], np.uint8)), "gray8")
        assert ids.tolist() == [[0, 7], [33, 255]]

    @pytest.mark.parametrize("channels", [3, 4])
    def test_gray8_in_equal_colour_channels(self, write_png, channels):
        pixels = np.full((1, 2, channels), 7, np.uint8)
        pixels[..., 3:] = 255
        assert read_raw_ids(write_png("a.png", pixels), "gray8").tolist() == [[7, 7]]

    def test_gray8_of_one_bit_a_pixel(self, tmp_path):
        # Decoders spread a single bit over 0 and 255.
        Image.fromarray(np.array([[False, True]])).save(tmp_path / "a.png")
        assert read_raw_ids(tmp_path / "a.png", "gray8").tolist() == [[0, 1]]

    def test_gray8_refuses_16_bits_instead_of_halving_them(self, write_png):
        path = write_png("a.png", np.full((1, 2), 7 << 8, np.uint16))
        with pytest.raises(ImageError, match=r"a.png: has 16 bits a pixel.*see 'uint16'"):
            read_raw_ids(path, "gray8")

    def test_gray8_refuses_colours(self, write_png):
        path = write_png("a.png", np.full((1, 2, 3), (1, 2, 3), np.uint8))
        with pytest.raises(ImageError, match="a.png: holds colours"):
            read_raw_ids(path, "gray8")

    def test_uint16(self, write_png):
        path = write_png("a.png", np.array([[24 * 256 + 3, 65535]], np.uint16))
        assert read_raw_ids(path, "uint16").tolist() == [[24 * 256 + 3, 65535]]

    def test_uint16_refuses_8_bits(self, write_png):
        with pytest.raises(ImageError, match="a.png: has 8 bits a pixel"):
            read_raw_ids(write_png("a.png", np.zeros((1, 2), np.uint8)), "uint16")

    def test_top8_takes_the_upper_half_of_16_bits(self, write_png):
        path = write_png("a.png", np.array([[24 * 256 + 3, 65535]], np.uint16))
        assert read_raw_ids(path, "top8").tolist() == [[24, 255]]
        path = write_png("b.png", np.array([[24, 255]], np.uint8))
        assert read_raw_ids(path, "top8").tolist() == [[24, 255]]

    def test_palette_gives_indices_though_colours_repeat(self, tmp_path):
        path = palette_png(tmp_path / "a.png", [[0, 1, 2]], [9, 9, 9, 9, 9, 9, 5, 5, 5])
        assert read_raw_ids(path, "palette").tolist() == [[0, 1, 2]]

    def test_palette_refuses_a_grey_file(self, write_png):
        with pytest.raises(ImageError, match="has no palette"):
            read_raw_ids(write_png("a.png", np.zeros((1, 2), np.uint8)), "palette")

    def test_a_truncated_palette_png_is_named(self, tmp_path):
        indices = np.random.default_rng(0).integers(0, 255, (64, 64))
        path = palette_png(tmp_path / "a.png", indices, list(range(256)) * 3)
        path.write_bytes(path.read_bytes()[:2000])
        with pytest.raises(ImageError, match="a.png: PNG is cut off"):
            read_raw_ids(path, "palette")

    def test_gray8_refuses_a_palette_png(self, tmp_path):
        path = palette_png(tmp_path / "a.png", [[0, 1]], [0, 0, 0, 9, 9, 9])
        with pytest.raises(ImageError, match="a.png: is a palette PNG"):
            read_raw_ids(path, "gray8")

    def test_rgb_packs_colours_whatever_the_file_stores(self, write_png, tmp_path):
        color = [[0x804080]]
        assert (
            read_raw_ids(write_png("a.png", np.array([[(128, 64, 128)]], np.uint8)), "rgb").tolist()
            == color
        )
        assert (
            read_raw_ids(
                write_png("b.png", np.array([[(128, 64, 128, 0)]], np.uint8)), "rgb"
            ).tolist()
            == color
        )
        path = palette_png(tmp_path / "c.png", [[1]], [0, 0, 0, 128, 64, 128])
        assert read_raw_ids(path, "rgb").tolist() == color

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_red_is_the_first_channel_at_any_depth(self, write_png, dtype):
        path = write_png("a.png", np.array([[(22, 500 % 256, 1)]], dtype))
        assert read_raw_ids(path, "red").tolist() == [[22]]

    def test_labels_with_an_orientation_are_refused(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(np.zeros((2, 6), np.uint8)).save(tmp_path / "a.png", exif=exif)
        with pytest.raises(ImageError, match=r"a.png: labels have the EXIF orientation 6, which"):
            read_raw_ids(tmp_path / "a.png", "gray8")

    @pytest.mark.parametrize("decode", ["palette", "rgb"])
    def test_a_huge_text_beside_the_labels_is_no_matter(self, tmp_path, decode):
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", "<x/>" * 5_000_000, zip=True)
        image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
        image.putpalette([9, 9, 9, 1, 2, 3])
        image.save(tmp_path / "a.png", pnginfo=text)
        expected = [[0, 1]] if decode == "palette" else [[0x090909, 0x010203]]
        assert read_raw_ids(tmp_path / "a.png", decode).tolist() == expected

    def test_jpeg_labels_are_refused(self, tmp_path):
        cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((8, 8), np.uint8))
        with pytest.raises(ImageError, match="labels cannot be JPEG"):
            read_raw_ids(tmp_path / "a.jpg", "gray8")


class TestDecoder:
    def test_ids_are_looked_up_all_at_once(self, write_png, decoder):
        # In place and one after the other, 3 -> 0 -> IGNORE would lose the road.
        path = write_png("a.png", np.array([[0, 3, 4, 7]], np.uint8))
        labels = decoder().read(path)
        assert labels.tolist() == [[IGNORE, 0, 0, 1]]
        assert labels.dtype == np.uint8

    def test_colours(self, write_png, decoder):
        classes = [
            {"name": "road", "color": [255, 0, 255]},
            {"name": "other", "color": [255, 0, 0]},
        ]
        path = write_png("a.png", np.array([[(255, 0, 255), (255, 0, 0), (0, 0, 0)]], np.uint8))
        rgb = decoder(decode="rgb", classes=classes, ignored=[[0, 0, 0]])
        assert rgb.read(path).tolist() == [[0, 1, IGNORE]]

    def test_a_divisor_drops_the_instance(self, write_png, decoder):
        path = write_png("a.png", np.array([[3 * 256 + 200, 7 * 256, 0]], np.uint16))
        assert decoder(decode="uint16 // 256").read(path).tolist() == [[0, 1, IGNORE]]

    def test_a_few_unknown_ids_are_ignored_and_logged_once(self, write_png, decoder, caplog):
        pixels = np.full((10, 20), 3, np.uint8)
        pixels[0, :2] = 99
        path = write_png("a.png", pixels)
        reader = decoder()
        with caplog.at_level(logging.WARNING):
            assert reader.read(path)[0, :3].tolist() == [IGNORE, IGNORE, 0]
            reader.read(path)
        assert [record.getMessage() for record in caplog.records] == [
            f"{path}: unknown ids are ignored: 99 (2 px)"
        ]

    def test_more_unknown_ids_than_declared_are_an_error(self, write_png, decoder):
        path = write_png("a.png", np.array([[3, 3, 99, 98], [3, 3, 3, 99]], np.uint8))
        with pytest.raises(
            DatasetError, match=r"a.png: 37.5% .*\(99 \(2 px\), 98 \(1 px\)\).*'tiny' is 1.0%"
        ):
            decoder().read(path)
        assert decoder(max_unknown_share=0.4).read(path)[0, 2] == IGNORE

    def test_an_unknown_colour_is_named_as_a_colour(self, write_png, decoder):
        classes = [{"name": "road", "color": [255, 0, 255]}]
        path = write_png("a.png", np.array([[(1, 2, 3)]], np.uint8))
        with pytest.raises(DatasetError, match=r"\[1, 2, 3\] \(1 px\)"):
            decoder(decode="rgb", classes=classes, ignored=[]).read(path)
