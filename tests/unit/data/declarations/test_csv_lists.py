"""Class tables and lists of PARIS-sem-seg."""

import json

import numpy as np
import pytest
import yaml

from semseg.classes import IGNORE
from semseg.data import load_dataset, samples
from semseg.errors import ConfigError

TABLE = {
    "dataset_name": "mapillary",
    "class_names": ["road", "sky"],
    "rgb_colors": [[128, 64, 128], [70, 130, 180]],
    "original_to_train_mapping": [-1, 0, 0, 1, -1],
    "void_label": -1,
}
LINE = "validation/images/0Ab_-c.jpg, validation/instances/0Ab_-c.png"


@pytest.fixture
def write_table(tmp_path):
    """Writes a class table and, if given, its list of the split val."""

    def write(lines=LINE, **changes):
        path = tmp_path / "lists/mapillary.json"
        (tmp_path / "lists/mapillary").mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**TABLE, **changes}))
        if lines is not None:
            (tmp_path / "lists/mapillary/val.csv").write_text(lines)
        return path

    return write


@pytest.fixture
def root(tmp_path, write_png):
    write_png("root/validation/images/0Ab_-c.jpg", np.zeros((1, 4, 3), np.uint8))
    return tmp_path / "root"


def test_a_table_and_its_lists_are_a_dataset(write_table, root, write_png):
    write_png("root/validation/instances/0Ab_-c.png", np.array([[1, 2, 3, 4]], np.uint8))
    spec = load_dataset(write_table())
    assert (spec.name, spec.classes.names, list(spec.splits)) == (
        "mapillary",
        ("road", "sky"),
        ["val"],
    )
    sample = samples(spec, root, "val")[0]
    assert sample.read()[1].tolist() == [[0, 0, 1, IGNORE]]


def test_labels_of_16_bits_have_the_id_in_the_upper_8(write_table, root, write_png):
    # Instances of Mapillary: id * 256 + instance.
    pixels = np.array([[1 * 256 + 7, 3 * 256, 0, 3 * 256 + 255]], np.uint16)
    write_png("root/validation/instances/0Ab_-c.png", pixels)
    found = samples(load_dataset(write_table()), root, "val")
    assert found[0].read_labels().tolist() == [[0, 1, IGNORE, 1]]


def test_a_yaml_file_may_say_where_the_lists_are(write_table, root, write_png, tmp_path):
    write_png("root/validation/instances/0Ab_-c.png", np.array([[1, 2, 3, 4]], np.uint8))
    (root / "mine.csv").write_text(LINE + "\r\n")
    write_table(lines=None)
    declared = {"class_table": "lists/mapillary.json", "splits": {"val": {"list_file": "mine.csv"}}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({**declared, "name": "mine"}))
    spec = load_dataset(tmp_path / "mine.yaml")
    assert spec.name == "mine"
    assert samples(spec, root, "val")[0].read_labels().tolist() == [[0, 0, 1, IGNORE]]


def test_a_table_without_lists_says_where_they_are_expected(write_table):
    with pytest.raises(ConfigError, match=r"mapillary/\*.csv, found none; .*'class_table'"):
        load_dataset(write_table(lines=None))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rgb_colors": [[0, 0, 0]]}, "a colour for each of 2 classes, found 1"),
        ({"original_to_train_mapping": [0, 7]}, r"\[7\] are no labels"),
        ({"void_labels": 0}, "unknown key 'void_labels'; .*did you mean 'void_label'"),
        ({"class_names": "road"}, "class_names: .*found 'road'"),
    ],
)
def test_mistakes_are_named_with_the_file(write_table, changes, message):
    with pytest.raises(ConfigError, match=f"mapillary.json: .*{message}"):
        load_dataset(write_table(**changes))


def test_what_is_no_json_is_named(write_table, tmp_path):
    write_table().write_text("{")
    with pytest.raises(ConfigError, match="mapillary.json: no class table can be read"):
        load_dataset(tmp_path / "lists/mapillary.json")
