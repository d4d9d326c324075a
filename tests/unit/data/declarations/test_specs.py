import re

import pytest

from semseg.data import dataset_names, load_dataset
from semseg.errors import ConfigError


def problem(path):
    with pytest.raises(ConfigError) as error:
        load_dataset(path)
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value).removeprefix(f"{path}: ")


def test_a_declaration_gives_classes_splits_and_raw_ids(write_declaration):
    spec = load_dataset(write_declaration(terms="research"))
    assert (spec.name, spec.terms, list(spec.splits)) == ("tiny", "research", ["train", "val"])
    assert spec.classes.names == ("road", "sky")
    assert spec.classes.colors[1] == (70, 130, 180)
    assert [spec.raw_ids(label) for label in (0, 1)] == [(3, 4), (7,)]
    assert spec.unverified is False


def test_ids_default_to_positions_and_colours(write_declaration):
    classes = [{"name": "road", "color": [1, 2, 3]}, {"name": "sky", "color": [0, 0, 9]}]
    by_position = load_dataset(write_declaration(classes=classes, ignored=[255]))
    assert [by_position.raw_ids(label) for label in (0, 1)] == [(0,), (1,)]
    by_color = load_dataset(write_declaration(classes=classes, ignored=[], decode="rgb"))
    assert [by_color.raw_ids(label) for label in (0, 1)] == [(0x010203,), (9,)]


def test_a_divisor_belongs_to_the_decode_rule(write_declaration):
    spec = load_dataset(write_declaration(decode="uint16 // 256"))
    assert (spec.decode_rule, spec.divisor) == ("uint16", 256)


def test_an_unknown_name_lists_the_shipped_datasets():
    with pytest.raises(ConfigError, match=r"unknown dataset 'camvit'; .*did you mean 'camvid'"):
        load_dataset("camvit")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ignore": [0]}, "unknown key 'ignore'; .*did you mean 'ignored'"),
        ({"max_unknown_share": "1%"}, "max_unknown_share: .*found '1%'"),
        ({"decode": "grey8"}, "unknown decode rule 'grey8'; .*did you mean 'gray8'"),
        ({"decode": "uint16 // 0"}, "decode rule"),
        ({"ignored": [3]}, "raw id 3 is both ignored and road"),
        ({"ignored": [256]}, "raw id 256 of ignored is not below 256"),
        ({"ignored": [-1]}, "ignored.0: "),
        ({"ignored": [[0, 0, 256]]}, "a colour is three integers 0..255"),
        ({"classes": []}, "1 to 255 classes"),
        ({"splits": {"val": {"images": "a/*.png"}}}, "splits.val.0: a split has either"),
        (
            {"splits": {"val": {"images": "a/*.png", "labels": "b/x.png"}}},
            r"'b/x.png' must have as many wildcards as 'a/\*.png'",
        ),
        ({"splits": {"val": {"images": "a/*", "labels": "b/*", "list_file": "x"}}}, "either"),
        (
            {"splits": {"val": {"images": "a/*", "labels": "b/*", "part": [0.9, 0.1]}}},
            "a part is from and to, 0..1, found",
        ),
        ({"color_table": "*.txt"}, "a color_table is for the decode rule rgb, found 'gray8'"),
        ({"ignored": ["Misc"]}, "raw id Misc of ignored: names go with a color_table"),
        (
            {"color_table": "*.txt", "decode": "rgb", "ignored": ["Misc"]},
            "raw id 3 of road: names go with a color_table",
        ),
        ({"ignored_below": {"raod": 0.9}}, "class in ignored_below 'raod'; .*did you mean 'road'"),
        ({"source": "twon"}, "source: .*found 'twon'"),
    ],
)
def test_mistakes_are_named_with_file_and_key(write_declaration, changes, message):
    text = problem(write_declaration(**changes))
    assert re.search(message, text), text
    assert "\n" not in text


@pytest.mark.parametrize("name", dataset_names())
def test_every_shipped_declaration_is_named_like_its_file(name):
    spec = load_dataset(name)
    assert spec.name == name
    assert spec.terms
