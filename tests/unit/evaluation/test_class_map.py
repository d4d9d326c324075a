"""From a model's classes to a dataset's."""

import numpy as np
import pytest

from semseg.classes import IGNORE, ClassTable
from semseg.errors import ConfigError
from semseg.evaluation.class_map import ClassMap, read_class_map

COLORS = ((0, 0, 0), (1, 1, 1), (2, 2, 2))
MODEL = ClassTable(("road", "car", "rider"), COLORS)
DATASET = ClassTable(("Car", "road"), COLORS[:2])


def test_equal_names_map_to_each_other_in_any_order():
    other = ClassTable(("rider", "road", "car"), COLORS)
    assert ClassMap.create(MODEL, other).table[:3].tolist() == [1, 2, 0]


def test_names_are_mapped_merged_and_ignored():
    class_map = ClassMap.create(MODEL, DATASET, {"car": "Car", "rider": "ignore"})
    assert class_map.table[:3].tolist() == [1, 0, IGNORE]
    assert (class_map.table[3:] == IGNORE).all()
    np.testing.assert_array_equal(class_map.membership()[:, :3], [[0, 1, 0], [1, 0, 0]])
    assert not class_map.membership()[:, 3:].any()


def test_a_class_without_a_partner_asks_for_a_map():
    with pytest.raises(ConfigError, match=r"classes car, rider are none.*\(Car, road\).*class-map"):
        ClassMap.create(MODEL, DATASET)


def test_misspelt_names_suggest_the_right_ones():
    with pytest.raises(ConfigError, match="class of the model 'cat'.*did you mean 'car'"):
        ClassMap.create(MODEL, DATASET, {"cat": "Car"})
    with pytest.raises(ConfigError, match="class of the dataset 'raod'.*did you mean 'road'"):
        ClassMap.create(MODEL, DATASET, {"car": "raod", "rider": "ignore"})


def test_the_file_is_lines_of_names(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("car: Car\nrider: ignore\n")
    assert read_class_map(path) == {"car": "Car", "rider": "ignore"}


@pytest.mark.parametrize("content", ["- car", "car: [Car]", "car: {", "1: road", "", "\xff"])
def test_a_file_of_another_form_is_named(tmp_path, content):
    path = tmp_path / "map.yaml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError, match="map.yaml: "):
        read_class_map(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="map.yaml"):
        read_class_map(tmp_path / "map.yaml")
