"""The node's parameters: nesting by camera, ranges, choices, and misspelt names."""

import logging
import re
from pathlib import Path

import pytest

from semseg.errors import ConfigError
from semseg.node.options import CameraOptions, ModelOptions, node_options


def test_without_parameters_there_is_one_camera_with_the_defaults():
    options = node_options({})
    assert options.model == ModelOptions()
    assert options.cameras == {"": CameraOptions()}


def test_a_camera_s_own_parameter_overrules_that_of_all():
    options = node_options(
        {
            "cameras": ["front", "left/upper"],
            "max_rate": 10,
            "left": {"upper": {"rotation": 90, "max_rate": 2.5}},
        }
    )
    assert options.cameras == {
        "front": CameraOptions(max_rate=10.0),
        "left/upper": CameraOptions(max_rate=2.5, rotation=90),
    }


@pytest.mark.parametrize(
    "values, text",
    [
        ({"transport": "theora"}, "parameter ~transport: unknown transport 'theora'; available: "),
        ({"stretch": "11"}, "~stretch: unknown stretch '11'; available: 10, 12, 14, 16, 8, auto"),
        ({"crop": "1,2,3"}, "parameter ~crop: a crop is TOP,BOTTOM or TOP,BOTTOM,LEFT,RIGHT in"),
        ({"cameras": ["front"], "front": {"crop": "a"}}, "~front/crop: a crop is TOP,BOTTOM"),
        ({"rotation": 45}, "~rotation: unknown rotation '45'; available: 0, 180, 270, 90"),
        ({"output_size": "half"}, "~output_size: unknown output size 'half'; available: camera"),
        (
            {"label_encoding": "rgb8"},
            "unknown label encoding 'rgb8'; available: 16UC1, 32SC1, mono8",
        ),
        ({"min_confidence": 1.5}, "~min_confidence: expected 0 to 1, found 1.5"),
        ({"min_confidence": float("nan")}, "~min_confidence: expected 0 to 1, found nan"),
        ({"overlay_alpha": -0.1}, "~overlay_alpha: expected 0 to 1, found -0.1"),
        ({"max_age": -1.0}, "~max_age: expected 0 or more, found -1"),
        ({"max_rate": -1.0}, "~max_rate: expected 0 or more, found -1"),
        ({"weight": 0.0}, "~weight: expected 0.01 to 100, found 0"),
        ({"sync_slop": -0.1}, "~sync_slop: expected 0 or more, found -0.1"),
        ({"target_rate": 10}, "~target_rate and ~fallback_model belong together; found 10 and ''"),
        ({"fallback_model": "reduced"}, "belong together; found 0 and 'reduced'"),
        ({"threads": "many"}, "~threads: expected an integer, found 'many'"),
        ({"gpu_memory_fraction": 1.5}, "~gpu_memory_fraction: expected 0 to 1, found 1.5"),
        ({"head": ["a"]}, "~head: expected a text, found"),
        ({"threads": -2}, "~threads: expected 0 to 1024, found -2"),
        ({"keep_subscribed": "yes"}, "~keep_subscribed: expected true or false, found 'yes'"),
        ({"cameras": ["front"], "front": {"rotation": 5}}, "~front/rotation: unknown rotation '5'"),
        (
            {"cameras": ["front"], "front": {"crop": 5.0, "masks": 1}},
            "~front/masks: expected a list",
        ),
        ({"cameras": ["front camera"]}, "'front camera' cannot be part of a topic's name"),
        ({"cameras": ["/front"]}, "'/front' cannot be part of a topic's name"),
        ({"cameras": [1]}, "'1' cannot be part of a topic's name"),
        ({"cameras": ["front", "rear", "front"]}, "'front' occurs more than once"),
    ],
)
def test_what_cannot_be_is_refused_with_the_choices(values, text):
    with pytest.raises(ConfigError) as caught:
        node_options(values)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


LAUNCH = Path(__file__).parents[3] / "launch"


@pytest.mark.parametrize(
    "file, others",
    [
        ("segment.launch", {"models", "model_folders", "weight", "groups"}),
        ("segment_cameras.launch", set(CameraOptions._fields) - {"transport", "overlay_alpha"}),
    ],
)
def test_the_launch_files_give_every_parameter_and_no_other(file, others):
    given = set(re.findall(r"^      (\w+): ", (LAUNCH / file).read_text(), re.MULTILINE))
    known = set(ModelOptions._fields + CameraOptions._fields)
    assert given - {"cameras"} == known - others - {"models", "model_folders"}


def test_misspelt_names_are_warned_about_with_the_nearest(caplog):
    with caplog.at_level(logging.WARNING, "semseg"):
        node_options({"modle": "x", "cameras": ["front"], "front": {"rotate": 90}, "max_age": 1.0})
    assert sorted(record.getMessage() for record in caplog.records) == [
        "unknown parameter ~front/rotate is ignored; did you mean ~front/rotation?",
        "unknown parameter ~modle is ignored; did you mean ~model?",
    ]
