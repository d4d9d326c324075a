"""Class lists as people and labelling tools write them."""

import pytest

from semseg.data.declarations.class_list import check_colors, read_class_list
from semseg.errors import ConfigError


@pytest.fixture
def read(tmp_path):
    """Reads a class list; returns (name, id, colour) of each class and the ids of void."""

    def read(text, encoding="utf-8"):
        path = tmp_path / "classes.txt"
        path.write_bytes(text.encode(encoding))
        listed = read_class_list(path)
        classes = [(entry.name, entry.raw_id, entry.color) for entry in listed if not entry.is_void]
        return classes, [entry.raw_id for entry in listed if entry.is_void]

    return read


ROAD, SKY = (128, 64, 128), (70, 130, 180)
PLAIN = [("road", 0, None), ("sky", 1, None)]
COLORED = [("road", 0, ROAD), ("sky", 1, SKY)]


@pytest.mark.parametrize(
    "text",
    [
        "road\nsky\n",
        "\ufeffroad\r\nsky\r\n",
        "# my classes\n\nroad  # the street\nsky\n",
        "// mine\nroad\nsky // above\n",
        "0 road\n1 sky\n",
        "0: road\n1: sky\n",
        "0:road\n1:sky\n",
        "0,road\n1,sky\n",
        "0;road\n1;sky\n",
        "0\troad\n1\tsky\n",
        "0 = road\n1 = sky\n",
        "1: sky\n0: road\n",
        "road 0\nsky 1\n",
        "road: 0\nsky: 1\n",
        "road,0\nsky,1\n",
        "id,name\n0,road\n1,sky\n",
        "name;id\nroad;0\nsky;1\n",
        "Pixel Value, Class\n0, road\n1, sky\n",
        '"road"\n"sky"\n',
        '"id","name"\n"0","road"\n"1","sky"\n',
    ],
)
def test_names_with_and_without_ids(read, text):
    classes, void = read(text)
    assert sorted(classes) == PLAIN
    assert void == []


@pytest.mark.parametrize(
    "text",
    [
        "road 128 64 128\nsky 70 130 180\n",
        "road,128,64,128\nsky,70,130,180\n",
        "road, 128, 64, 128\nsky, 70, 130, 180\n",
        "road;128;64;128\nsky;70;130;180\n",
        "road: 128, 64, 128\nsky: 70, 130, 180\n",
        "road: [128, 64, 128]\nsky: [70, 130, 180]\n",
        "road (128, 64, 128)\nsky (70, 130, 180)\n",
        "road rgb(128, 64, 128)\nsky rgb(70, 130, 180)\n",
        "road #804080\nsky #4682B4\n",
        "road,#804080\nsky,#4682b4\n",
        "road: #804080\nsky: #4682b4 # blue\n",
        "#804080 road\n#4682b4 sky\n",
        "128 64 128\troad\n70 130 180\tsky\n",
        "name,r,g,b\nroad,128,64,128\nsky,70,130,180\n",
        "r g b name\n128 64 128 road\n70 130 180 sky\n",
        "0 road 128 64 128\n1 sky 70 130 180\n",
        "0 128 64 128 road\n1 70 130 180 sky\n",
        "0: road #804080\n1: sky #4682b4\n",
        "road 0 128 64 128\nsky 1 70 130 180\n",
        "# label:color_rgb:parts:actions\nroad:128,64,128::\nsky:70,130,180::\n",
        "road:128,64,128::\nsky:70,130,180:wing,tail:fly\n",
    ],
)
def test_names_with_colours(read, text):
    assert read(text) == (COLORED, [])


def test_cvats_background_is_black_and_a_name_may_hold_spaces(read):
    text = (
        "# label:color_rgb:parts:actions\n"
        "background:0,0,0::\nclear sky:70,130,180::\nlane 2:1,2,3::"
    )
    assert read(text)[0] == [
        ("background", 0, (0, 0, 0)),
        ("clear sky", 1, SKY),
        ("lane 2", 2, (1, 2, 3)),
    ]


def test_labelmes_list_begins_at_minus_one(read):
    assert read("__ignore__\n_background_\nroad\nsky\n") == (
        [("_background_", 0, None), ("road", 1, None), ("sky", 2, None)],
        [255],
    )
    assert read("_background_\nroad\n")[0] == [("_background_", 0, None), ("road", 1, None)]


def test_void_keeps_its_place_or_its_id(read):
    assert read("road\nVoid\nsky\n") == ([("road", 0, None), ("sky", 2, None)], [1])
    assert read("0 road\n1 sky\n255 void\n") == (PLAIN, [255])
    assert read("road\nsky\n-1: ignore\n"[:9] + "ignore -1\n") == (PLAIN, [255])


def test_an_id_behind_one_name_alone(read):
    # What a check advises for masks of 0 and 255.
    assert read("background\nroad 255\n")[0] == [("background", 0, None), ("road", 255, None)]


def test_quotes_hold_numbers(read):
    assert read('"lane 1"\n"lane 2" 5\n')[0] == [("lane 1", 0, None), ("lane 2", 5, None)]


def test_names_may_hold_numbers_and_other_letters(read):
    text = "3d_box\nStraße\n日本 道\ntraffic-sign/back\ncar (parked)\nlane2\n"
    assert [name for name, _, _ in read(text)[0]] == text.split("\n")[:-1]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_editors_encodings(read, encoding):
    assert read("road\r\nsky\r\n", encoding) == (PLAIN, [])


def test_a_class_may_be_said_to_be_absent(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_text("road\ntrain (may be absent)\nbus 7 (May be absent)\n")
    found = [(entry.name, entry.raw_id, entry.may_be_absent) for entry in read_class_list(path)]
    assert found == [("road", 0, False), ("train", 1, True), ("bus", 7, True)]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("road, sky, car\n", 1, "more than a name between commas"),
        ("road\nsky 128 64\n", 2, "numbers that are neither"),
        ("road 0.5 0.25 0.5\n", 1, "numbers that are neither"),
        ("road 128 64 300\n", 1, "values are 0..255"),
        ("road\n- sky\n", 2, "no class can be read"),
        ("names: [road, sky]\n", 1, "more than a name|no class"),
        ("names:\n  0: road\n", 1, "no class can be read"),
        ('{"road": 0}\n', 1, "no class can be read"),
        ("item {\n  name: 'road'\n}\n", 1, "no class can be read"),
        ("<annotation>\n", 1, "no class can be read"),
        ("0 road\nsky\n", 2, "an id before each name"),
        ("road\n2 wheeler\nsky\n", 2, "needs quotes"),
        ("0 road\n0 sky\n", 2, "the id 0 of 'road' in line 1"),
        ("road\nsky 0\n", 2, "the id 0 of 'road' in line 1"),
        ("road\n\nroad\n", 3, "the name road of 'road' in line 1"),
        ("lane 1\nlane 2\n", 2, "a name with a number needs quotes"),
        ("road 128 64 128 255\nsky 70 130 180 255\n", 1, "four numbers behind a name"),
        ("0 road 5\n", 1, "too many numbers"),
        ("70000 road\n", 1, "an id is 0..65535"),
        ("road\n__ignore__\n", 2, "__ignore__ first"),
        ("road\n_background_\n", 2, "_background_ is 0"),
        ("# label:color_rgb:parts:actions\nroad 1 2 3\n", 2, "CVAT's 'label:red,green,blue"),
        ("road\n128 64 128\n", 2, "no class can be read"),
    ],
)
def test_what_is_no_form_or_two_is_an_error_that_names_the_line(read, text, line, reason):
    with pytest.raises(ConfigError, match=rf"classes.txt, line {line}: .*(?:{reason})") as error:
        read(text)
    assert "\n" not in str(error.value)


def test_a_list_of_nothing_is_an_error(read):
    with pytest.raises(ConfigError, match="classes.txt: names no class"):
        read("# nothing\n\n")


def test_colours_of_label_files_are_different(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_text("road 1 2 3\nsky 1 2 3\n")
    with pytest.raises(ConfigError, match=r"line 2: 'sky' has the colour \(1, 2, 3\) of 'road'"):
        check_colors(path, read_class_list(path))
