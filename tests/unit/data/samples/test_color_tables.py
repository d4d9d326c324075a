"""Text files that say what the colours of one sequence mean."""

from pathlib import Path

import pytest

from semseg.data.samples.label_decoder import color_table_path, read_color_table
from semseg.errors import ImageError


@pytest.fixture
def write(tmp_path):
    def write_table(text):
        path = tmp_path / "table.txt"
        path.write_bytes(text.encode())
        return path

    return write_table


def test_wildcards_are_the_folders_above_a_label_file():
    label = Path("/data/labels/0001/fog/00007.png")
    assert color_table_path(label, "*_*_x.txt") == Path("/data/labels/0001_fog_x.txt")
    assert color_table_path(label, "*.txt") == Path("/data/labels/0001/fog.txt")
    assert color_table_path(label, "colors.txt") == Path("/data/labels/0001/fog/colors.txt")


def test_instances_of_a_category_are_one(write):
    path = write("Category(:id) r g b\r\nRoad 100 60 100\r\nCar:0 1 2 3\nCar:12 0 0 9\n\n")
    assert read_color_table(path) == {0x643C64: "Road", 0x010203: "Car", 9: "Car"}


@pytest.mark.parametrize("line", ["Car 1 2", "Car 1 2 red", "1 2 3"])
def test_a_line_that_is_no_colour_is_named(write, line):
    with pytest.raises(ImageError, match=f"table.txt, line 2: .*found '{line}'"):
        read_color_table(write(f"Road 1 1 1\n{line}\n"))


def test_a_colour_beyond_255_is_named(write):
    with pytest.raises(ImageError, match=r"table.txt, line 1: .*256"):
        read_color_table(write("Car 1 2 256\n"))


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"absent.txt: the colour table .* cannot be read"):
        read_color_table(tmp_path / "absent.txt")
