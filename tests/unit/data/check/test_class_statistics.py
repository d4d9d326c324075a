import math

import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.data.check.class_statistics import PixelCounts
from semseg.errors import ConfigError


@pytest.fixture
def counts():
    """10 pixels: class 0 has 6 of them in both images, class 1 has 2 in the second, 2 void."""
    counts = PixelCounts(3)
    counts.add(np.array([[0, 0, 0, 0, IGNORE]], np.uint8))
    counts.add(np.array([[0, 0, 1, 1, IGNORE]], np.uint8))
    return counts


def test_pixels_are_counted(counts):
    assert counts.pixels.tolist() == [6, 2, 0]
    assert counts.pixels_where_seen.tolist() == [8, 4, 0]
    assert (counts.ignored, counts.images) == (2, 2)
    assert counts.shares.tolist() == [0.75, 0.25, 0]
    assert counts.ignored_share == 0.2


def test_counted_images_are_added_like_images(counts):
    counts.add_counted(np.array([0, 3, 1]), ignored=6)
    assert counts.pixels.tolist() == [6, 5, 1]
    assert counts.pixels_where_seen.tolist() == [8, 8, 4]
    assert (counts.ignored, counts.images) == (8, 3)


def test_median_frequency_weights(counts):
    # Frequencies 6/8 and 2/4, median 5/8; a class never seen keeps 1.
    assert counts.class_weights("median_frequency").tolist() == pytest.approx([5 / 6, 5 / 4, 1])


def test_enet_weights(counts):
    expected = [1 / math.log(1.77), 1 / math.log(1.27), 1]
    assert counts.class_weights("enet").tolist() == pytest.approx(expected)


@pytest.mark.parametrize("rule", ["median_frequency", "enet"])
def test_weights_of_nothing_are_one(rule):
    assert PixelCounts(2).class_weights(rule).tolist() == [1, 1]


def test_an_unknown_rule_is_named(counts):
    with pytest.raises(ConfigError, match="did you mean 'enet'"):
        counts.class_weights("e-net")
