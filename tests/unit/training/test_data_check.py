import shutil

import cv2
import numpy as np
import pytest
import yaml

from semseg.errors import DatasetError
from semseg.training import learning_data
from semseg.training.config.experiment import DataConfig


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    """A folder with one training and one validation pair; the cache is beside it."""
    monkeypatch.setattr(learning_data, "default_folder", lambda: tmp_path / "cache")
    folder = tmp_path / "data"
    for split, value in {"train": 10, "val": 20, "test": 20}.items():
        for kind, pixels in {"images": np.full((4, 6, 3), value, np.uint8),
                             "labels": np.eye(4, 6, dtype=np.uint8)}.items():  # fmt: skip
            path = folder / kind / split / "a.png"
            path.parent.mkdir(parents=True)
            cv2.imwrite(str(path), pixels)
    declaration = {
        "name": "tiny",
        "classes": [
            {"name": "road", "color": [1, 2, 3]},
            {"name": "sky", "color": [4, 5, 6]},
            {"name": "car", "color": [7, 8, 9]},
        ],
        "splits": {
            split: {"images": f"images/{split}/*.png", "labels": f"labels/{split}/*.png"}
            for split in ("train", "val", "test")
        },
    }
    (folder / "dataset.yaml").write_text(yaml.safe_dump(declaration))
    return folder


def config_of(dataset):
    return DataConfig(dataset=str(dataset), size=(4, 6))


def test_sound_data_is_kept_as_checked_and_warnings_are_logged(dataset, caplog):
    learning_data.check_data(config_of(dataset), {})
    assert "tiny: train: no pixel of car" in caplog.text
    assert len(list((dataset.parent / "cache").iterdir())) == 1


def test_the_splits_of_the_training_alone_are_checked(dataset):
    # The test image is that of the validation: an error of the whole dataset.
    (dataset / "images/test/a.png").write_bytes(b"damaged")
    learning_data.check_data(config_of(dataset), {})


def test_errors_stop_the_training_in_one_line(dataset):
    (dataset / "images/val/a.png").write_bytes(b"damaged")
    with pytest.raises(DatasetError) as error:
        learning_data.check_data(config_of(dataset), {str(dataset): str(dataset)})
    assert str(error.value).startswith("tiny: 1 errors, 1 warnings: val: ")
    assert "--no-check" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_second_input_of_the_training_is_checked(dataset):
    shutil.copytree(dataset / "images", dataset / "right")
    (dataset / "right/train/a.png").unlink()
    declaration = yaml.safe_load((dataset / "dataset.yaml").read_text())
    declaration["second"] = {"right": {"replace": {"images": "right"}}}
    (dataset / "dataset.yaml").write_text(yaml.safe_dump(declaration))
    learning_data.check_data(config_of(dataset), {})
    with pytest.raises(DatasetError, match="train: 1 images have no right file: images/train/a"):
        learning_data.check_data(config_of(dataset).model_copy(update={"second": "right"}), {})


def test_the_town_needs_no_check():
    learning_data.check_data(DataConfig(dataset="town", size=(4, 6)), {})
