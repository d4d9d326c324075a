"""Instance files: which pixels are one object, and what it is."""

import cv2
import numpy as np
import pytest
from cityscapesscripts.helpers.labels import labels as OFFICIAL_LABELS

from semseg.classes import IGNORE
from semseg.data import load_dataset, samples
from semseg.data.declarations.specs import FolderSpec
from semseg.data.declarations.strict_yaml import validate
from semseg.data.samples.instances import InstanceReader
from semseg.errors import ConfigError, DatasetError

DECLARATION = {
    "name": "toy",
    "classes": [
        {"name": "road", "color": [1, 1, 1], "ids": [7]},
        {"name": "car", "color": [2, 2, 2], "ids": [26]},
    ],
    "ignored": [0, 29],
    "scores": {
        "categories": {"flat": ["road"], "vehicle": ["car"]},
        "instances": {
            "replace": {"labelIds": "instanceIds"},
            "divisor": 1000,
            "mean_sizes": {"car": 10.0},
        },
    },
    "splits": {"val": {"images": "*_image.png", "labels": "*_labelIds.png"}},
}
VALUES = np.array([[7, 26, 26001], [26001, 26002, 29000]], np.uint16)


@pytest.fixture
def found(tmp_path):
    spec = validate(FolderSpec, DECLARATION, "toy")
    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / f"{name}_image.png"), np.zeros((2, 3, 3), np.uint8))
        cv2.imwrite(str(tmp_path / f"{name}_labelIds.png"), np.zeros((2, 3), np.uint8))
        cv2.imwrite(str(tmp_path / f"{name}_instanceIds.png"), VALUES)
    return spec, samples(spec, tmp_path, "val")


def test_values_become_instances_with_labels(found):
    spec, listed = found
    pixels, labels = InstanceReader.create(spec, listed).read(listed[0])
    # Two cars, and a caravan that is no class; 26 is a group of cars that nobody separated.
    assert labels.tolist() == [1, 1, IGNORE]
    assert pixels.tolist() == [[-1, -1, 0], [0, 1, 2]]


def test_without_any_file_there_are_none_and_it_is_said(found, tmp_path, caplog):
    for name in ("a", "b"):
        (tmp_path / f"{name}_instanceIds.png").unlink()
    assert InstanceReader.create(*found) is None
    assert "no instance files of 'toy'" in caplog.text


def test_a_missing_file_is_named(found, tmp_path):
    (tmp_path / "b_instanceIds.png").unlink()
    with pytest.raises(DatasetError, match=r"1 of 2 samples of 'toy'.*b_instanceIds\.png"):
        InstanceReader.create(*found)


def test_a_declaration_without_instances_has_no_reader(found):
    spec = validate(FolderSpec, {**DECLARATION, "scores": {}}, "toy")
    assert InstanceReader.create(spec, found[1]) is None


@pytest.mark.parametrize(
    "scores, reason",
    [
        ({"categories": {"flat": ["raod"]}}, "class in scores 'raod'; available: car, road"),
        ({"categories": {"flat": ["road"]}}, "each class belongs to one category"),
        ({"categories": {"a": ["road", "car"], "b": ["car"]}}, "each class belongs to one"),
        ({"road_class": "street"}, "class in scores 'street'"),
    ],
)
def test_names_are_checked(scores, reason):
    with pytest.raises(ConfigError, match=reason):
        validate(FolderSpec, {**DECLARATION, "scores": scores}, "toy")


def test_cityscapes_declares_the_categories_and_sizes_of_its_own_scripts():
    scores = load_dataset("cityscapes").scores
    evaluated = [label for label in OFFICIAL_LABELS if not label.ignoreInEval]
    of_class = {name: group for group, names in scores.categories.items() for name in names}
    assert of_class == {label.name: label.category for label in evaluated}
    assert set(scores.instances.mean_sizes) == {
        label.name for label in evaluated if label.hasInstances
    }
