"""What is trained on, predicted, played, and received by the node has the same pixels."""

import numpy as np
import pytest

from semseg.data.samples.samples import FileSample
from semseg.errors import DatasetError
from semseg.evaluation.frames.sources import frames_from_images
from semseg.runtime.benchmark import read_images


class Labels:
    def __init__(self, size):
        self.size = size

    def read(self, path):
        return np.zeros(self.size, np.uint8)


def test_every_path_gives_the_same_pixels(image_kind, tmp_path):
    messages = pytest.importorskip("sensor_msgs.msg")
    from semseg.ros.messages import image_from_message
    from semseg.ros.playback import image_player

    path = tmp_path / image_kind.name
    path.write_bytes(image_kind.data)
    trained = FileSample("a", path, path, Labels(image_kind.rgb.shape[:2])).read()[0]
    assert np.abs(trained.astype(int) - image_kind.rgb).max() <= image_kind.tolerance
    received = image_from_message(messages.CompressedImage(data=image_kind.data))
    (predicted,) = frames_from_images(str(path))
    (benchmarked,) = read_images(str(path))
    ((_, played),) = image_player.read_images(str(tmp_path))
    for found in (received, predicted.image, benchmarked, played):
        np.testing.assert_array_equal(found, trained)


def test_labels_of_the_stored_pixels_are_an_error_that_says_exif(image_files, tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(image_files.tiff(image_files.scene(), 2, tags={274: [6]}))
    upright = FileSample("a", path, path, Labels((32, 24)))
    assert upright.read()[0].shape == (32, 24, 3)
    with pytest.raises(DatasetError, match="labels fit the pixels as stored, which its EXIF"):
        FileSample("a", path, path, Labels((24, 32))).read()
