import numpy as np
import pytest

from semseg.classes import IGNORE
from semseg.data import AugmentationConfig
from semseg.data.batches.batches import SampleSource, batches
from semseg.data.batches.class_uniform import find_classes, place_cache
from semseg.errors import DatasetError, ImageError


class LabelSample:
    """A sample that is its labels; None cannot be read."""

    image_path = label_path = None

    def __init__(self, name, labels):
        self.name, self.labels = name, labels

    def read_labels(self):
        if self.labels is None:
            raise ImageError(f"{self.name}: damaged")
        return self.labels

    def read(self):
        return self.read_labels()[..., np.newaxis].repeat(3, axis=2), self.labels

    def read_second(self):
        return None

    def read_right_labels(self):
        return None


@pytest.fixture
def streets():
    """Nine streets of class 0, on one of which is something of class 4, 3x3 pixels."""
    streets = [np.zeros((64, 96), np.uint8) for _ in range(9)]
    streets[6][40:43, 80:83] = 4
    streets[7][:8] = IGNORE
    return [LabelSample(f"train/{number}", labels) for number, labels in enumerate(streets)]


def test_places_are_pixels_of_their_class(streets):
    road, rare = find_classes(streets, 0.5, tile=32).places
    assert rare.tolist() == [[6, 41, 81]]
    assert len(road) == 9 * 2 * 3, "one for each tile"
    assert all(streets[index].labels[row, column] == 0 for index, row, column in road)


def test_label_files_are_read_once_until_they_change(streets, tmp_path, monkeypatch):
    for number, street in enumerate(streets[1:]):
        street.label_path = tmp_path / f"{number}.png"
        street.label_path.write_bytes(b"labels")
    read = []
    read_labels = LabelSample.read_labels
    monkeypatch.setattr(
        LabelSample, "read_labels", lambda self: read.append(self.name) or read_labels(self)
    )

    def look():
        read.clear()
        return find_classes(streets, 0.5, cache=place_cache(tmp_path / "cache", "x", ""), workers=1)

    first = look()
    assert len(read) == 9
    for found, expected in zip(look().places, first.places, strict=True):
        assert np.array_equal(found, expected)
    assert read == ["train/0"], "has no file"
    streets[6].labels[:] = 2
    streets[6].label_path.write_bytes(b"other labels")
    assert len(look().places) == 2
    assert read == ["train/0", "train/6"]


def test_what_cannot_be_read_has_no_places(streets):
    streets[6].labels = None
    assert len(find_classes(streets, 0.5).places) == 1


def test_nothing_found_is_an_error():
    empty = LabelSample("train/0", np.full((8, 8), IGNORE, np.uint8))
    with pytest.raises(DatasetError, match="none of the 1 samples shows a class"):
        find_classes([empty], 0.5)


@pytest.mark.parametrize(("share", "expected"), [(1.0, 0.5), (0.5, 0.25)])
def test_rare_classes_are_shown_as_often_as_asked(streets, share, expected):
    config = AugmentationConfig(crop=(16, 16))
    source = SampleSource(streets)
    uniform = [find_classes(streets, share, tile=32)]
    batch = next(batches(source, config, 200, seed=0, class_uniform=uniform, threads=1))
    assert np.mean((batch.labels == 4).any(axis=(1, 2))) == pytest.approx(expected, abs=0.08)
