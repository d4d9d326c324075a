"""Camera names that can be part of a topic's name."""

import pytest

from semseg.errors import ConfigError
from semseg.ros.node import checked_names


def test_names_of_topics_are_taken():
    assert checked_names([]) == []
    assert checked_names(["front", "rear_2", "left/upper"]) == ["front", "rear_2", "left/upper"]


@pytest.mark.parametrize(
    "names, text",
    [
        (["front camera"], "'front camera' cannot be part of a topic's name"),
        (["/front"], "'/front' cannot be part of a topic's name"),
        ([1], "'1' cannot be part of a topic's name"),
        (["front", "rear", "front"], "'front' occurs more than once"),
    ],
)
def test_other_names_are_refused(names, text):
    with pytest.raises(ConfigError, match=text):
        checked_names(names)
