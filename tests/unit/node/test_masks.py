"""Masks of classes and groups: which pixels, which topics, and what is refused."""

import numpy as np
import pytest

from semseg.classes import ClassTable
from semseg.errors import ConfigError
from semseg.node.masks import mask, mask_classes

CLASSES = ClassTable.create(["Road", "Side walk", "Car"], [(9, 9, 9), (99, 9, 9), (9, 99, 9)])


def test_a_mask_covers_its_classes_and_never_void():
    labels = np.array([[0, 1, 2, 255, 7]], np.uint8)
    assert mask(labels, ("Road",), CLASSES).tolist() == [[255, 0, 0, 0, 0]]
    assert mask(labels, ("Road", "Side walk"), CLASSES).tolist() == [[255, 255, 0, 0, 0]]


def test_a_mask_follows_the_names_to_another_table():
    other = ClassTable.create(["Car", "Road"], [(1, 1, 1), (2, 2, 2)])
    labels = np.array([[0, 1]], np.uint8)
    assert mask(labels, ("Road", "Side walk"), other).tolist() == [[0, 255]]


def test_topics_of_classes_and_groups():
    covered = mask_classes(["Side walk"], {"drivable": ["Road", "Side walk"]}, CLASSES)
    assert covered == {"Side_walk": ("Side walk",), "drivable": ("Road", "Side walk")}


@pytest.mark.parametrize(
    "masks, groups, text",
    [
        (["Raod"], {}, "parameter ~masks: unknown class 'Raod'; .*did you mean 'Road'"),
        ([], {"drivable": ["Grass"]}, "parameter ~groups: unknown class 'Grass'; available: Car"),
        ([], {"drivable": "Road"}, "parameter ~groups: 'drivable' must list its classes"),
        ([], {"drivable": []}, "must list its classes, found"),
        (["Road"], {"Road": ["Car"]}, "two masks are called 'Road'"),
    ],
)
def test_what_cannot_be_is_refused(masks, groups, text):
    with pytest.raises(ConfigError, match=text):
        mask_classes(masks, groups, CLASSES)
