import os

import pytest

from semseg.data.declarations.patterns import (
    Match,
    count_wildcards,
    expand,
    fixed_folder,
    substitute,
)


@pytest.fixture
def touch(tmp_path):
    def write(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return write


def test_wildcards_capture_what_they_match_in_sorted_order(touch):
    root = touch("img/b/x_2.png", "img/a/x_1.png", "img/a/y_1.png", "img/a/x_1.txt")
    assert list(expand(root, "img/*/x_*.png")) == [
        Match("img/a/x_1.png", ("a", "1")),
        Match("img/b/x_2.png", ("b", "2")),
    ]


def test_captures_name_the_label_file():
    assert substitute("gt/*/*_ids.png", ("ulm", "ulm_01")) == "gt/ulm/ulm_01_ids.png"


def test_a_character_class_is_a_wildcard(touch):
    root = touch("imgs/018.png", "imgs/019.png")
    assert list(expand(root, "imgs/*[0-8].png")) == [Match("imgs/018.png", ("01", "8"))]
    assert count_wildcards("imgs/*[0-8].png") == 2


def test_any_number_of_folders(touch):
    root = touch("img/x.png", "img/a/b/y.png")
    found = list(expand(root, "img/**/*.png"))
    assert found == [Match("img/x.png", ("", "x")), Match("img/a/b/y.png", ("a/b", "y"))]
    assert [substitute("gt/**/*.png", match.captures) for match in found] == [
        "gt/x.png",
        "gt/a/b/y.png",
    ]


def test_names_are_taken_literally(touch):
    root = touch("Camera 5/Straße (1).jpg", "Camera 5/[x]+.jpg")
    assert [match.path for match in expand(root, "Camera 5/*.jpg")] == [
        "Camera 5/Straße (1).jpg",
        "Camera 5/[x]+.jpg",
    ]


def test_the_root_is_no_pattern(tmp_path):
    root = tmp_path / "data [v1]*"
    root.mkdir()
    (root / "a.png").touch()
    assert [match.path for match in expand(root, "*.png")] == ["a.png"]


def test_an_exclamation_mark_takes_the_others(touch):
    root = touch("1.png", "3.png", "!.png", "9.png")
    assert list(expand(root, "[!13].png")) == [Match("!.png", ("!",)), Match("9.png", ("9",))]
    assert substitute("[!13]_ids.png", ("9",)) == "9_ids.png"


def test_hidden_files_are_passed_over(touch):
    # macOS adds such files to archives.
    assert [match.path for match in expand(touch("._a.png", "a.png"), "*.png")] == ["a.png"]


def test_link_loops_end(touch):
    root = touch("img/a/x.png")
    os.symlink(root / "img", root / "img" / "a" / "loop")
    os.symlink(root / "self", root / "self")
    assert [match.path for match in expand(root, "**/*.png")] == ["img/a/x.png"]


def test_a_folder_behind_a_link_is_read(touch, tmp_path):
    root = touch("elsewhere/x.png", "img/.keep")
    os.symlink(root / "elsewhere", root / "img" / "linked")
    assert [match.path for match in expand(root / "img", "**/*.png")] == ["linked/x.png"]


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [("train/*.png", "train"), ("a/b/um_*.png", "a/b"), ("*/x.png", ""), ("a/b*/c.png", "a")],
)
def test_fixed_folder(pattern, folder):
    assert fixed_folder(pattern) == folder
