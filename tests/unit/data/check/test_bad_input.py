"""What people's folders hold: each is read right, or check_dataset.py says what is wrong."""

import os
import re
import runpy
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[4] / "scripts/check_dataset.py"
LABELS = np.array([[3, 4, 7], [7, 7, 0]], np.uint8)


class Result(NamedTuple):
    status: int
    out: str
    err: str

    def errors(self):
        return re.findall(r"^error: (.*)", self.out, re.MULTILINE)

    def only_error(self):
        """Returns the one error of a dataset that was checked and found bad."""
        assert self.status == 1, self.err
        assert len(self.errors()) == 1, self.out
        return self.errors()[0]

    def passed(self):
        return self.status == 0 and not self.errors()


@pytest.fixture
def run_check(monkeypatch, capsys, write_declaration, tmp_path):
    """Runs the script on ``root`` under a declaration, with changes and more flags."""

    def run(root="root", *more, **changes):
        flags = ["--dataset", write_declaration(**changes), "--root", tmp_path / root, *more]
        monkeypatch.setattr(sys, "argv", ["check_dataset.py", *map(str, flags), "--no-cache"])
        with pytest.raises(SystemExit) as caught:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        return Result(caught.value.code or 0, *capsys.readouterr())

    return run


def test_the_tree_is_good_to_begin_with(run_check, tree):
    assert run_check().passed()


def test_a_wrong_root_says_what_was_looked_for_and_what_is_there(run_check, tree):
    result = run_check("root/images")
    assert result.status == 2
    (line,) = [line for line in result.err.splitlines() if "looked for" in line]
    assert "looked for images/train/*.png, found train, val" in line
    assert f"did you mean {tree}?" in line
    assert "Traceback" not in result.err


def test_a_root_that_is_a_file(run_check, tree):
    result = run_check("root/images/train/a.png")
    assert result.status == 2
    assert "no such folder; expected the root of 'tiny'" in result.err


def test_without_an_image_that_can_be_read_there_is_a_verdict_and_no_sheet(
    run_check, tree, tmp_path
):
    for path in tree.glob("images/*/*.png"):
        path.write_bytes(b"damaged")
    result = run_check("root", "--sheet", tmp_path / "sheet.png")
    assert result.status == 1 and len(result.errors()) == 4
    assert "no contact sheet: " in result.err
    assert not (tmp_path / "sheet.png").exists()


def test_one_missing_label_among_thousands_is_listed(run_check, tree):
    image, labels = tree / "images/train/a.png", tree / "labels/train/a_ids.png"
    for number in range(2000):
        os.link(image, image.with_name(f"{number:04d}.png"))
        if number != 1234:
            os.link(labels, labels.with_name(f"{number:04d}_ids.png"))
    error = run_check().only_error()
    assert error == "train: 1 images have no labels: images/train/1234.png"


def test_labels_of_16_bits_are_not_read_as_8(run_check, tree, write_png):
    write_png("root/labels/train/a_ids.png", LABELS.astype(np.uint16) << 8)
    write_png("root/images/train/a.png", np.zeros((2, 3, 3), np.uint8))
    error = run_check().only_error()
    assert re.search(r"a_ids.png: has 16 bits a pixel; .*see 'uint16'", error)


def test_a_palette_is_not_read_as_grey(run_check, tree):
    image = Image.fromarray(np.full((4, 6), 3, np.uint8), "P")
    image.putpalette([0, 0, 0] * 3 + [7, 7, 7])  # as grey, 3 would be 7: sky
    image.save(tree / "labels/train/a_ids.png")
    error = run_check().only_error()
    assert re.search(r"a_ids.png: is a palette PNG; .*use palette", error)


@pytest.mark.parametrize("alpha", [0, 255])
def test_an_alpha_channel_of_labels_is_passed_over(run_check, tree, write_png, alpha):
    for name in ("train/a", "train/b", "train/c", "val/d"):
        pixels = np.full((4, 6, 4), 3, np.uint8)
        pixels[0], pixels[..., 3] = 7, alpha
        write_png(f"root/labels/{name}_ids.png", pixels)
    result = run_check()
    assert result.passed()
    assert re.search(r"^sky .*25\.000%.*25\.000%", result.out, re.MULTILINE)


def test_a_grey_camera_image_is_an_image(run_check, tree, write_png):
    write_png("root/images/train/a.png", np.full((4, 6), 99, np.uint8))
    assert run_check().passed()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ["images/train/a.png", "labels/train/a_ids.png"])
def test_a_truncated_png_is_named(run_check, tree, write_png, name, share):
    rng = np.random.default_rng(0)
    path = write_png(f"root/{name}", rng.choice([3, 4, 7], (64, 96)).astype(np.uint8))
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    assert re.search(f"{path.name}: PNG is cut off", run_check().only_error())


@pytest.mark.parametrize("name", ["Straße bei Nacht", "夜の道", "a,b", "ñandú [1]", "50% #3"])
def test_names_with_spaces_and_any_letters(run_check, tree, name):
    for folder, suffix in (("images", ".png"), ("labels", "_ids.png")):
        os.rename(tree / f"{folder}/train/a{suffix}", tree / f"{folder}/train/{name}{suffix}")
    assert run_check().passed()


def test_a_root_whose_name_is_a_pattern(run_check, tree):
    os.rename(tree, tree.with_name("data [2019] *"))
    assert run_check("data [2019] *").passed()


def test_a_symlink_loop_is_not_followed(run_check, tree):
    os.symlink(".", tree / "images/train/again")
    os.symlink(tree / "images/train", tree / "images/train/night")
    os.symlink("nowhere.png", tree / "images/train/nowhere.png")
    os.symlink("itself.png", tree / "images/train/itself.png")
    splits = {"train": {"images": "images/train/**/*.png", "labels": "labels/train/**/*_ids.png"}}
    result = run_check(splits=splits)
    assert result.passed()
    assert re.search(r"^\(images\) +3", result.out, re.MULTILINE)


def test_a_symlink_to_a_folder_above_is_followed_once(run_check, tree):
    os.symlink("..", tree / "images/train/up")
    splits = {"train": {"images": "images/train/**/*.png", "labels": "labels/train/**/*_ids.png"}}
    assert run_check(splits=splits).only_error() == (
        "train: 1 images have no labels: images/train/up/val/d.png"
    )


def test_a_symlink_to_a_folder_elsewhere_is_followed(run_check, tree, tmp_path):
    shutil.move(tree / "images", tmp_path / "disk2")
    os.symlink(tmp_path / "disk2", tree / "images")
    assert run_check().passed()


def test_two_images_of_one_label_file_are_named(run_check, tree):
    os.rename(tree / "images/train/b.png", tree / "images/train/a.jpg")
    os.remove(tree / "labels/train/b_ids.png")
    rules = [
        {"images": f"images/train/*.{suffix}", "labels": "labels/train/*_ids.png"}
        for suffix in ("png", "jpg")
    ]
    assert run_check(splits={"train": rules}).only_error() == (
        "train: two images share the label file labels/train/a_ids.png: "
        "images/train/a.png, images/train/a.jpg"
    )


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_split_list_with_any_line_ends(run_check, tree, end):
    lines = [f"images/train/{name}.png labels/train/{name}_ids.png" for name in "abc"]
    (tree / "train.txt").write_bytes((end.join(lines) + end).encode())
    result = run_check(splits={"train": {"list_file": "train.txt"}})
    assert result.passed()
    assert re.search(r"^\(images\) +3", result.out, re.MULTILINE)


def test_a_split_list_in_another_encoding_is_named(run_check, tree):
    (tree / "train.txt").write_bytes("images/train/ä.png labels/train/ä.png".encode("latin-1"))
    result = run_check(splits={"train": {"list_file": "train.txt"}})
    assert result.status == 2
    assert "train.txt: no list can be read: 'utf-8' codec can't decode" in result.err
    assert "Traceback" not in result.err
