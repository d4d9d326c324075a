"""The class table: checks, round trip and palette."""

import numpy as np
import pytest

from semseg.classes import IGNORE, ClassTable
from semseg.errors import ConfigError

CLASSES = [{"name": "road", "color": [128, 64, 128]}, {"name": "sky", "color": [70, 130, 180]}]


def test_list_round_trip():
    table = ClassTable.from_list(CLASSES)
    assert table.names == ("road", "sky")
    assert table.colors == ((128, 64, 128), (70, 130, 180))
    assert table.num_classes == 2
    assert table.to_list() == CLASSES


def test_palette_is_void_beyond_the_classes():
    palette = ClassTable.from_list(CLASSES).palette
    assert palette.shape == (256, 3) and palette.dtype == np.uint8
    np.testing.assert_array_equal(palette[:2], [[128, 64, 128], [70, 130, 180]])
    assert not palette[2:].any()
    assert tuple(palette[IGNORE]) == (0, 0, 0)


@pytest.mark.parametrize(
    "names, colors, message",
    [
        ([], [], "1 to 255 classes, found 0"),
        (range(256), [(0, 0, 0)] * 256, "1 to 255 classes, found 256"),
        (["a", "b"], [(0, 0, 0)], "one colour per class, found 2 names and 1 colours"),
        (["a", "b", "a"], [(0, 0, 0)] * 3, "used more than once: a"),
        (["a"], [(0, 0)], "three integers"),
        (["a"], [("red", 0, 0)], "three integers"),
        (["a"], [7], "three integers"),
        (["a"], [(0, 0, 256)], r"0\.\.255"),
    ],
)
def test_a_table_that_cannot_be_is_refused(names, colors, message):
    with pytest.raises(ConfigError, match=message):
        ClassTable.create(names, colors)


@pytest.mark.parametrize("classes", [[{"name": "a"}], {"a": [0, 0, 0]}, None, ["a"]])
def test_a_list_of_another_form_is_refused(classes):
    with pytest.raises(ConfigError, match="must be a list of {name, color}"):
        ClassTable.from_list(classes)
