"""What a program without this package is told of the labels."""

import json

from semseg.classes import ClassTable, label_info_json


def test_every_class_has_its_id_its_name_and_a_colour_of_0_to_1():
    classes = ClassTable.create(["road", "sky"], [(128, 64, 255), (0, 0, 51)])
    assert json.loads(label_info_json(classes, "x.pb", "abc")) == {
        "model": "x.pb",
        "digest": "abc",
        "void_id": 255,
        "classes": [
            {"id": 0, "name": "road", "color": {"r": 128 / 255, "g": 64 / 255, "b": 1, "a": 1}},
            {"id": 1, "name": "sky", "color": {"r": 0, "g": 0, "b": 0.2, "a": 1}},
        ],
    }
