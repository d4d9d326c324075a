"""Tiny trees in the layouts of real datasets: one row of pixels, spelled out by the tests."""

import zlib

import numpy as np
import pytest
from PIL import Image

from semseg.classes import IGNORE
from semseg.data import load_dataset, samples
from semseg.data.check.check import check
from semseg.data.check.show import dataset_sheet


@pytest.fixture
def image(write_png):
    """Writes a camera image of 1x4, others for other names; PNG content whatever the suffix."""

    def write(*names):
        for name in names:
            rng = np.random.default_rng(zlib.crc32(name.encode()))
            write_png(name, rng.integers(0, 255, (1, 4, 3), np.uint8))

    return write


@pytest.fixture
def gray(write_png):
    """Writes a label file with one channel of ids."""
    return lambda name, *ids: write_png(name, np.array([ids], np.uint8))


@pytest.fixture
def colors(write_png):
    """Writes a label file of RGB (or RGBA) colours."""
    return lambda name, *rgb: write_png(name, np.array([rgb], np.uint8))


@pytest.fixture
def palette(tmp_path):
    """Writes a palette PNG of indices; all of its colours are the same."""

    def write(name, *indices):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        label_image = Image.fromarray(np.array([indices], np.uint8), "P")
        label_image.putpalette([9, 9, 9] * 256)
        label_image.save(path)

    return write


@pytest.fixture
def read(tmp_path):
    """Returns sample name -> class names by pixel (None: ignored) of a split.

    On the way it checks and draws the tree, as the commands do.
    """

    def read_split(dataset, split):
        spec = load_dataset(dataset)
        found = samples(spec, tmp_path, split)
        assert check(spec, tmp_path, workers=1).errors == []
        assert dataset_sheet(found, spec.classes).shape[2] == 3
        names = (*spec.classes.names, *[None] * (IGNORE + 1 - spec.classes.num_classes))
        return {
            sample.name: [names[label] for label in sample.read_labels().ravel()]
            for sample in found
        }

    return read_split


@pytest.fixture
def split_names(tmp_path):
    """Returns the sample names of a split, sorted and without the split's own name."""

    def names(dataset, split):
        found = samples(load_dataset(dataset), tmp_path, split)
        return sorted(sample.name.removeprefix(f"{split}/") for sample in found)

    return names
