import numpy as np
import pytest

from semseg.errors import ConfigError
from semseg.training.export.freeze import freeze
from semseg.training.inputs import resized
from semseg.training.records.checkpoints import load_checkpoint
from semseg.training.records.run_folder import RunFolder

DATA = {"dataset": "town", "size": [16, 32]}
SHORT = {"steps": 1, "epoch_steps": 1, "batch_size": 2, "overfit": 2}


def test_a_network_trains_on_disparity_and_is_frozen_with_it(run, tmp_path):
    run(data={**DATA, "second": "disparity"}, training=SHORT)
    folder = RunFolder(tmp_path / "run")
    images, disparities = folder.read_images()
    assert images.shape == (2, 16, 32, 3)
    assert (disparities.shape, disparities.dtype) == ((2, 16, 32, 1), np.float32)
    assert 0 < disparities.max() < 32
    # Four channels and two of position.
    assert load_checkpoint(folder.best).variables["hidden0/kernel"].shape[2] == 6
    card = freeze(folder.path, tmp_path / "depth.pb")
    assert [entry["name"] for entry in card.inputs] == ["input", "disparity"]
    with pytest.raises(ConfigError, match="sees disparity beside the image cannot be mirrored"):
        freeze(folder.path, tmp_path / "mirrored.pb", mirror=True)


def test_a_network_with_two_branches_trains_on_right_images(run, tmp_path):
    network = {"name": "sq_stereo", "width": 0.1}
    run(data={**DATA, "second": "right"}, training=SHORT, network=network)
    images, right = RunFolder(tmp_path / "run").read_images()
    assert right.dtype == np.uint8 and right.shape == images.shape
    assert (right != images).any()


def test_a_network_that_does_not_see_it_is_named(run):
    with pytest.raises(ConfigError, match="network 'color_position' sees no 'right' image"):
        run(data={**DATA, "second": "right"})
    with pytest.raises(ConfigError, match="second is null, but network 'sq_stereo' sees 'right'"):
        run(data=DATA, network={"name": "sq_stereo"})


def test_a_disparity_at_half_the_width_is_half_as_large():
    disparity = np.full((4, 8, 1), 6, np.float32)
    disparity[0] = 0
    half = resized(disparity, (2, 4))
    np.testing.assert_array_equal(half, np.full((2, 4, 1), 3, np.float32))
    assert resized(np.full((4, 8, 3), 9, np.uint8), (2, 4)).tolist() == [[[9] * 3] * 4] * 2
