"""Own folders as labelling tools and people leave them: read right, or an error that mends."""

import cv2
import numpy as np
import pytest
from PIL import Image

from semseg.classes import IGNORE
from semseg.data import load_dataset, samples
from semseg.data.check.check import check
from semseg.errors import ConfigError, ImageError

ROAD, SKY, BLACK = (128, 64, 128), (70, 130, 180), (0, 0, 0)
COLORED = "road 128 64 128\nsky 70 130 180\n"


@pytest.fixture
def folder(tmp_path):
    """Writes label files by name; each gets an image of its size, another for each name."""

    def write(files, classes="road\nsky\n", name="classes.txt"):
        root = tmp_path / "mine"
        for number, (place, write_labels) in enumerate(files.items()):
            path = root / "labels" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            write_labels(path)
            height, width = Image.open(path).size[::-1]
            image = (root / "images" / place).with_suffix(".png")
            image.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)
            cv2.imwrite(str(image), pixels)
        (root / name).write_text(classes)
        return root

    return write


def saved(pixels, mode=None, palette=None, **options):
    """Returns a function that saves pixels by Pillow."""

    def save(path):
        image = Image.fromarray(np.asarray(pixels), mode)
        if palette:
            image.putpalette(np.array(palette, np.uint8).ravel().tolist())
        image.save(path, **options)

    return save


def gray(*rows, dtype=np.uint8, **options):
    return saved(np.array(rows, dtype), **options)


def both(labels, suffix="png"):
    return {f"train/a.{suffix}": labels, f"val/b.{suffix}": labels}


def read(root, split="train"):
    return [sample.read_labels().tolist() for sample in samples(load_dataset(root), None, split)]


def errors(root):
    return check(load_dataset(root), None, workers=1).errors


class TestTwoValues:
    @pytest.mark.parametrize("classes", ["background\nroad\n", "0 background\n1 road\n"])
    def test_masks_of_0_and_255(self, folder, classes):
        root = folder(both(gray([0, 0, 255])), classes)
        found = errors(root)
        assert len(found) == 2
        assert found[0].startswith("train: background alone occurs, no pixel is road")
        assert found[0].endswith("if 255 is road, write 'road 255' in classes.txt")

    def test_the_line_that_it_names_mends_it(self, folder):
        root = folder(both(gray([0, 0, 255])), "background\nroad 255\n")
        assert errors(root) == []
        assert read(root) == [[[0, 0, 1]]]

    def test_one_class_alone(self, folder):
        found = errors(folder(both(gray([0, 0, 255])), "road\n"))
        assert "one class alone, road" in found[0]
        assert found[0].endswith("'background 0' and 'road 255'")

    def test_a_class_left_over_for_255(self, folder):
        (found,) = errors(folder(both(gray([0, 1, 255])), "background\nroad\ncar\n"))
        assert "no pixel of car anywhere, but 2 of 255" in found
        assert "write 'car 255'" in found

    def test_black_and_white_by_colours(self, folder):
        root = folder(both(gray([0, 255])), "background 0 0 0\nroad 255 255 255\n")
        assert read(root) == [[[0, 1]]]


class TestAbsentClasses:
    def test_a_class_that_another_split_has(self, folder):
        files = {"train/a.png": gray([0, 1, 2]), "val/b.png": gray([0, 1, 1])}
        (found,) = errors(folder(files, "road\nsky\ncar\n"))
        assert found.startswith("val: no pixel of car, which other splits have")
        assert errors(folder(files, "road\nsky\ncar (may be absent)\n")) == []

    def test_a_list_that_is_longer_than_the_ids(self, folder):
        (found,) = errors(folder(both(gray([0, 1, 2])), "title\nroad\nsky\ncar\n"))
        assert "no pixel of car anywhere: the list and the ids of the label files may be" in found

    def test_a_class_in_the_middle_is_a_warning(self, folder):
        report = check(load_dataset(folder(both(gray([0, 2])), "a\nb\nc\n")), None, workers=1)
        assert report.errors == []
        assert report.warnings == ["train: no pixel of b", "val: no pixel of b"]


class TestColours:
    def test_palettes_whose_order_differs_are_read_by_their_colours(self, folder):
        files = {
            "train/a.png": saved(np.array([[0, 1]], np.uint8), "P", [ROAD, SKY]),
            "val/b.png": saved(np.array([[0, 1]], np.uint8), "P", [SKY, ROAD]),
        }
        root = folder(files, COLORED)
        assert (read(root), read(root, "val")) == ([[[0, 1]]], [[[1, 0]]])

    def test_palettes_whose_order_differs_need_colours(self, folder):
        files = {
            "train/a.png": saved(np.array([[0, 1]], np.uint8), "P", [ROAD, SKY]),
            "val/b.png": saved(np.array([[0, 1]], np.uint8), "P", [SKY, ROAD]),
        }
        with pytest.raises(ConfigError, match=r"palettes of the label files differ.*classes.txt"):
            load_dataset(folder(files))

    def test_a_palette_of_other_colours_is_one_of_indices(self, folder):
        labels = saved(np.array([[0, 1]], np.uint8), "P", [(1, 1, 1), (9, 9, 9)])
        assert read(folder(both(labels), COLORED)) == [[[0, 1]]]

    def test_a_bitmap_with_a_palette(self, folder):
        labels = saved(np.array([[1, 0]], np.uint8), "P", [ROAD, SKY])
        assert read(folder(both(labels, "bmp"), COLORED)) == [[[1, 0]]]

    @pytest.mark.parametrize("first", [[[BLACK, BLACK]], [[0, 0]]])
    def test_a_first_file_that_is_black(self, folder, first):
        files = {
            "train/a.png": saved(np.array(first, np.uint8)),
            "train/b.png": saved(np.array([[ROAD, SKY]], np.uint8)),
            "val/c.png": saved(np.array([[ROAD, SKY]], np.uint8)),
        }
        assert read(folder(files, COLORED)) == [[[IGNORE, IGNORE]], [[0, 1]]]

    def test_two_classes_of_one_colour(self, folder):
        root = folder(both(saved(np.array([[ROAD, SKY]], np.uint8))), "a 128 64 128\nb 128 64 128")
        with pytest.raises(ConfigError, match="line 2: 'b' has the colour"):
            load_dataset(root)

    def test_colours_that_are_one_off(self, folder):
        labels = saved(np.array([[ROAD, (71, 130, 180), SKY]], np.uint8))
        report = check(load_dataset(folder(both(labels), COLORED)), None, workers=1)
        assert (
            "train: the colour [71, 130, 180] (1 px) is nearly [70, 130, 180] of sky: declare it "
            "as it is stored" in report.warnings
        )


class TestContainers:
    @pytest.mark.parametrize("compression", ["raw", "group4", "tiff_lzw", "tiff_adobe_deflate"])
    def test_one_bit_tiff(self, folder, compression):
        if compression == "tiff_lzw":
            labels = saved(np.array([[0, 1]], np.uint8), compression=compression)
        else:
            labels = saved(np.array([[False, True]]), compression=compression)
        assert read(folder(both(labels, "tif"))) == [[[0, 1]]]

    @pytest.mark.parametrize("suffix", ["bmp", "png", "tif"])
    def test_one_bit(self, folder, suffix):
        assert read(folder(both(saved(np.array([[False, True]])), suffix))) == [[[0, 1]]]

    @pytest.mark.parametrize("dtype", [np.int32, np.uint16])
    def test_more_bits_in_tiff(self, folder, dtype):
        root = folder(both(gray([0, 1, 255], dtype=dtype), "tif"))
        assert read(root) == [[[0, 1, IGNORE]]]

    def test_minus_one_of_32_bits_is_void(self, folder):
        assert read(folder(both(gray([0, 1, -1], dtype=np.int32), "tif"))) == [[[0, 1, IGNORE]]]

    def test_fractions_are_refused_with_one_hint(self, folder):
        root = folder(both(gray([0, 1], dtype=np.float32), "tif"))
        with pytest.raises(ImageError, match=r"stores fractions .*save the ids as 8 or 16 bits"):
            load_dataset(root)

    @pytest.mark.parametrize(
        ("suffix", "options", "named"),
        [
            ("webp", {"quality": 80}, "lossy WebP"),
            ("jpg", {}, "JPEG"),
            ("tif", {"compression": "jpeg"}, "JPEG or WebP compression"),
        ],
    )
    def test_lossy_files_are_refused(self, folder, suffix, options, named):
        root = folder(both(saved(np.zeros((16, 16, 3), np.uint8), **options), suffix))
        with pytest.raises(ImageError, match=f"labels cannot be .*{named}, which changes ids"):
            load_dataset(root)

    def test_lossless_webp(self, folder):
        labels = saved(np.array([[ROAD, SKY]], np.uint8), lossless=True)
        assert read(folder(both(labels, "webp"), COLORED)) == [[[0, 1]]]

    def test_pgm_of_few_values(self, folder):
        root = folder(both(gray([0, 1, 2], dtype=np.uint8), "pgm"), "a\nb\nc\n")
        for path in (root / "labels").rglob("*.pgm"):
            path.write_bytes(b"P5\n3 1\n2\n\x00\x01\x02")
        assert read(root) == [[[0, 1, 2]]]

    def test_several_pages(self, folder):
        more = [Image.fromarray(np.zeros((1, 2), np.uint8))]
        labels = saved(np.zeros((1, 2), np.uint8), save_all=True, append_images=more)
        with pytest.raises(ImageError, match="has 2 pages"):
            load_dataset(folder(both(labels, "tif")))

    def test_a_palette_png_with_a_large_text(self, folder):
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", "x" * (2 << 20), zip=True)
        labels = saved(np.array([[0, 1]], np.uint8), "P", [ROAD, SKY], pnginfo=info)
        files = both(labels)
        root = folder(both(gray([0, 1])))
        for place, write in files.items():
            write(root / "labels" / place)
        assert read(root) == [[[0, 1]]]


class TestLayouts:
    def test_a_test_split_without_labels_is_left_out(self, folder):
        root = folder(both(gray([0, 1])))
        (root / "images/test").mkdir()
        cv2.imwrite(str(root / "images/test/t.png"), np.zeros((1, 2, 3), np.uint8))
        report = check(load_dataset(root), None, workers=1)
        assert report.errors == []
        assert list(report.counts) == ["train", "val"]
        assert report.warnings[0].startswith("split 'test' has no labels and is left out")

    def test_images_of_several_suffixes_are_one_split(self, folder):
        root = folder({f"{name}.png": gray([0, 1]) for name in "abcd"})
        for name in "ac":
            (root / f"images/{name}.png").rename(root / f"images/{name}.JPG")
        spec = load_dataset(root)
        names = [[s.name for s in samples(spec, None, split)] for split in ("train", "val")]
        assert names == [["train/a", "train/b", "train/c"], ["val/d"]]

    @pytest.mark.parametrize("name", ["._a.png", "Thumbs.db", ".DS_Store", "desktop.ini"])
    def test_what_systems_leave_is_passed_over(self, folder, name):
        root = folder(both(gray([0, 1])))
        for place in ("images/train", "labels/train", "images", "labels"):
            (root / place / name).write_bytes(b"no image")
        assert errors(root) == []

    def test_folders_that_systems_leave_are_no_splits(self, folder):
        root = folder(both(gray([0, 1])))
        for name in ("@eaDir", "__MACOSX", ".git"):
            (root / "images" / name).mkdir()
            (root / "images" / name / "a.png").write_bytes(b"no image")
        assert list(load_dataset(root).splits) == ["train", "val"]

    @pytest.mark.parametrize("name", ["valid", "validation", "Valid"])
    def test_other_names_of_splits(self, folder, name):
        root = folder({"train/a.png": gray([0, 1]), f"{name}/b.png": gray([1, 0])})
        assert read(root, "val") == [[[1, 0]]]

    @pytest.mark.parametrize(
        ("name", "classes"),
        [
            ("labelmap.txt", "# label:color_rgb:parts:actions\nroad:128,64,128::\nsky:1,2,3::\n"),
            ("_classes.csv", "Pixel Value, Class\n0, road\n1, sky\n"),
            ("labels.txt", "road\nsky\n"),
            ("class_dict.csv", "name,r,g,b\nroad,128,64,128\nsky,1,2,3\n"),
        ],
    )
    def test_class_lists_as_tools_call_them(self, folder, name, classes):
        root = folder(both(gray([0, 1])), classes, name)
        assert load_dataset(root).classes.names == ("road", "sky")
        assert read(root) == [[[0, 1]]]

    def test_several_class_lists(self, folder):
        root = folder(both(gray([0, 1])), name="labels.txt")
        (root / "labelmap.txt").write_text("road:1,2,3::\n")
        with pytest.raises(ConfigError, match=r"several class lists \(labelmap.txt, labels.txt\)"):
            load_dataset(root)


class TestWarnings:
    def test_orientation_that_the_labels_do_not_share(self, folder):
        root = folder(both(gray([0, 1])))
        exif = Image.Exif()
        exif[0x0112] = 3
        image = Image.fromarray(np.full((1, 2, 3), 9, np.uint8))
        (root / "images/train/a.png").unlink()
        image.save(root / "images/train/a.jpg", exif=exif)
        report = check(load_dataset(root), None, workers=1)
        assert report.errors == []
        assert report.warnings[0].startswith(
            "train: 1 of 1 images are turned by their EXIF orientation; their labels must be drawn "
            "on the turned image: images/train/a.jpg (3)"
        )

    def test_interpolated_borders(self, folder):
        sharp = np.zeros((40, 40), np.uint8)
        sharp[10:30, 10:30] = 4
        smooth = cv2.resize(sharp, (160, 160), interpolation=cv2.INTER_LINEAR)
        nearest = cv2.resize(sharp, (160, 160), interpolation=cv2.INTER_NEAREST)
        for labels, number in ((sharp, 0), (nearest, 0), (smooth, 2)):
            root = folder(both(saved(labels)), "a\nb\nc\nd\ne\n")
            warnings = check(load_dataset(root), None, workers=1).warnings
            assert sum("look interpolated" in text for text in warnings) == number

    def test_classes_swapped_between_splits(self, folder):
        files = {
            "train/a.png": gray([0] * 19 + [1]),
            "val/b.png": gray([1] * 19 + [0]),
        }
        report = check(load_dataset(folder(files)), None, workers=1)
        assert report.errors == []
        assert report.warnings == [
            f"{name} is {first}.000% of train but {second}.000% of val: are classes swapped, or "
            "the splits of different places?"
            for name, first, second in (("road", 95, 5), ("sky", 5, 95))
        ]
