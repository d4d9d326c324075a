"""From one class table to another."""

import numpy as np
import pytest

from semseg.classes import IGNORE, ClassTable
from semseg.data import load_dataset
from semseg.data.declarations.class_map import ClassMap, class_map_names, read_class_map
from semseg.data.declarations.find import dataset_names
from semseg.errors import ConfigError

COLORS = ((0, 0, 0), (1, 1, 1), (2, 2, 2))
MODEL = ClassTable(("road", "car", "rider"), COLORS)
DATASET = ClassTable(("Car", "road"), COLORS[:2])


@pytest.fixture
def write(tmp_path):
    def write_map(text):
        path = tmp_path / "map.yaml"
        path.write_bytes(text.encode("latin-1"))
        return path

    return write_map


def mapped(class_map, source, *names):
    """Returns what a map makes of classes: names of the other table, or None for ignored."""
    names = names or source.names
    labels = class_map.table[[source.names.index(name) for name in names]]
    return [None if label == IGNORE else class_map.classes.names[label] for label in labels]


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
    with pytest.raises(ConfigError, match=r"classes car, rider are none of Car, road; .*class map"):
        ClassMap.create(MODEL, DATASET)


def test_a_misspelt_class_of_the_map_leaves_the_right_one_without_a_partner():
    with pytest.raises(ConfigError, match="classes rider are none of"):
        ClassMap.create(MODEL, DATASET, {"car": "Car", "ridder": "ignore"})


def test_a_misspelt_partner_suggests_the_right_one():
    with pytest.raises(ConfigError, match="unknown class 'raod'.*did you mean 'road'"):
        ClassMap.create(MODEL, DATASET, {"car": "raod", "rider": "ignore"})


class TestFiles:
    def test_without_classes_a_models_classes_become_the_datasets(self, write):
        class_map = read_class_map(write("map: {car: Car, rider: ignore}"))
        of_model, of_truth = class_map.between(MODEL, DATASET)
        assert mapped(of_model, MODEL) == ["road", "Car", None]
        assert mapped(of_truth, DATASET) == ["Car", "road"]

    def test_groups_are_a_table_for_model_and_dataset(self, write):
        groups = "classes: [{name: free, color: [1, 2, 3]}, {name: object, color: [4, 5, 6]}]\n"
        path = write(groups + "map: {road: free, car: object, Car: object, rider: object}")
        of_model, of_truth = read_class_map(path).between(MODEL, DATASET)
        assert of_model.classes == ClassTable(("free", "object"), ((1, 2, 3), (4, 5, 6)))
        assert mapped(of_model, MODEL) == ["free", "object", "object"]
        assert mapped(of_truth, DATASET) == ["object", "free"]

    def test_a_model_of_the_groups_needs_no_map_itself(self, write):
        path = write("classes: [{name: car, color: [1, 2, 3]}]\nmap: {road: ignore, Car: car}")
        groups = ClassTable(("car",), ((1, 2, 3),))
        of_model, of_truth = read_class_map(path).between(groups, DATASET)
        assert mapped(of_model, groups) == ["car"]
        assert mapped(of_truth, DATASET) == ["car", None]

    def test_the_classes_may_be_those_of_another_dataset(self, write):
        class_map = read_class_map(write("classes: camvid\nmap: {road: Road, car: Car}"))
        assert class_map.target(MODEL).names[3] == "Road"

    @pytest.mark.parametrize(
        "text",
        ["- car", "map: {car: [Car]}", "map: {", "car: Car", "", "\xff", "map: {a: b, a: c}"],
    )
    def test_a_file_of_another_form_is_named(self, write, text):
        with pytest.raises(ConfigError, match="map.yaml: "):
            read_class_map(write(text))

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(ConfigError, match="absent.yaml"):
            read_class_map(tmp_path / "absent.yaml")

    def test_an_unknown_name_lists_the_shipped_maps(self):
        with pytest.raises(
            ConfigError, match=r"unknown class map 'drivabel'; available: .*drivable"
        ):
            read_class_map("drivabel")


class TestShippedMaps:
    @pytest.mark.parametrize(
        ("name", "dataset", "expected"),
        [
            (
                "mapillary_vistas_12_to_cityscapes",
                "mapillary_vistas_12",
                # A known mapping makes bridges and tunnels road.
                {"Bridge": None, "Tunnel": None, "Manhole": "road", "Other Rider": "rider"},
            ),
            ("virtual_kitti_to_cityscapes", "virtual_kitti_1", {"Van": "car", "GuardRail": None}),
            ("virtual_kitti_to_cityscapes", "virtual_kitti_2", {"Tree": "vegetation"}),
            ("viper_to_cityscapes", "viper", {"van": "car", "road": "road", "trash": None}),
            ("apolloscape_to_cityscapes", "apolloscape_scene", {"tunnel": None, "sky": "sky"}),
            ("idd_to_cityscapes", "idd", {"drivable fallback": None, "road": "road"}),
            (
                "a2d2_to_cityscapes",
                "a2d2",
                # Converters call both road, which a robot must not.
                {"Non-drivable street": None, "RD restricted area": None, "Solid line": "road"},
            ),
            ("camvid_to_cityscapes", "camvid", {"Pavement": "sidewalk", "Bicyclist": None}),
            ("camvid_to_cityscapes", "town", {"Road": "road"}),
            ("cityscapes_to_camvid", "cityscapes", {"wall": "Building", "terrain": None}),
            ("cityscapes_to_camvid", "gta5", {"rider": "Bicyclist", "bus": "Car"}),
            ("cityscapes_16", "synthia", {"train": None, "wall": "wall"}),
            ("cityscapes_13", "cityscapes", {"pole": None, "road": "road"}),
            ("drivable", "cityscapes", {"terrain": "other ground", "train": "obstacle"}),
            ("drivable", "camvid", {"Road": "drivable", "Sky": "sky", "Tree": "obstacle"}),
            ("drivable", "town", {"Pavement": "other ground"}),
            ("drivable", "virtual_kitti_2", {"Road": "drivable", "GuardRail": "obstacle"}),
        ],
    )
    def test_they_map_every_class_of_their_datasets(self, name, dataset, expected):
        source = load_dataset(dataset).classes
        class_map = read_class_map(name)
        result = class_map.onto(class_map.target(source), source)
        assert mapped(result, source, *expected) == list(expected.values())

    def test_they_name_only_classes_that_a_dataset_has(self):
        known = {
            name for dataset in dataset_names() for name in load_dataset(dataset).classes.names
        }
        for name in class_map_names():
            assert set(read_class_map(name).names) <= known, name
