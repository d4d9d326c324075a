"""A segmenter that answers what the image says: its red channel holds the labels."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from semseg.classes import ClassTable
from semseg.runtime import Segmentation, Timing

CLASSES = ClassTable(("road", "sky", "car"), ((128, 64, 128), (70, 130, 180), (0, 0, 142)))


class FakeSegmenter:
    """Labels are the red channel, confidence is green / 255; every image takes 10 ms."""

    classes = CLASSES

    def __init__(self):
        self.sizes = []

    def segment(self, image, second=None, probabilities=False, confidence=True):
        self.sizes.append(image.shape[:2])
        labels = np.ascontiguousarray(image[..., 0])
        confidence = image[..., 1].astype(np.float32) / 255
        return Segmentation(
            labels,
            confidence,
            self.probabilities(labels, confidence) if probabilities else None,
            Timing(1.0, 7.0, 2.0),
        )

    def probabilities(self, labels, confidence):
        """The label has the confidence, the two other classes share the rest."""
        shared = np.repeat((1 - confidence)[..., None] / 2, 3, axis=-1)
        np.put_along_axis(shared, labels[..., None].astype(int), confidence[..., None], axis=-1)
        return shared


def image_of(labels, confidence=1.0):
    """The RGB image that FakeSegmenter labels so."""
    labels = np.asarray(labels, np.uint8)
    image = np.zeros((*labels.shape, 3), np.uint8)
    image[..., 0] = labels
    image[..., 1] = round(255 * confidence)
    return image


@pytest.fixture
def segmenter():
    return FakeSegmenter()


@pytest.fixture(name="image_of")
def image_of_fixture():
    return image_of


def _load(name):
    spec = importlib.util.spec_from_file_location(name, str(Path(__file__).with_name(name + ".py")))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


IMAGE_FILES = _load("image_kinds")


def pytest_generate_tests(metafunc):
    """Runs a test that takes ``image_kind`` for each kind of image file."""
    if "image_kind" in metafunc.fixturenames:
        kinds = list(IMAGE_FILES.image_kinds())
        metafunc.parametrize("image_kind", kinds, ids=[kind.name for kind in kinds])


@pytest.fixture(scope="session")
def image_files():
    """The module that writes image files of every kind."""
    return IMAGE_FILES
