import cv2
import numpy as np
import pytest
import yaml

from semseg.data.strict_yaml import validate
from semseg.training.config import ExperimentConfig
from semseg.training.run_folder import Resume
from semseg.training.trainer import train

SIZE = (24, 32)
COLORS = ((200, 40, 40), (40, 200, 40), (40, 40, 200))


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory):
    """Dataset of three classes that colour alone tells apart, and its folder."""
    root = tmp_path_factory.mktemp("tiny")
    rng = np.random.default_rng(0)
    for split, count in (("train", 6), ("val", 2)):
        for index in range(count):
            labels = np.zeros(SIZE, np.uint8)
            labels[rng.integers(6, 12) :] = 1
            labels[8:16, rng.integers(0, 20) :] = 2
            image = np.array(COLORS, np.uint8)[labels] + rng.integers(0, 40, (*SIZE, 3), np.uint8)
            labels[0] = 3  # void
            for kind, pixels in (("images", image[..., ::-1]), ("labels", labels)):
                path = root / split / kind / f"{index}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), pixels)
    declaration = {
        "name": "tiny",
        "terms": "made by a test",
        "decode": "gray8",
        "classes": [
            {"name": name, "color": list(color)}
            for name, color in zip(("sky", "road", "car"), COLORS)
        ],
        "ignored": [3],
        "splits": {
            split: {"images": f"{split}/images/*.png", "labels": f"{split}/labels/*.png"}
            for split in ("train", "val")
        },
    }
    path = root / "tiny.yaml"
    path.write_text(yaml.safe_dump(declaration))
    return path


@pytest.fixture(scope="session")
def experiment(tiny_dataset):
    """Values of an experiment file on the tiny dataset, a section at a time replaceable."""

    def values(**sections):
        chosen = {
            "name": "tiny",
            "data": {"dataset": str(tiny_dataset), "size": list(SIZE)},
            "augmentation": {"crop": [16, 24], "zoom": [0.8, 1.5]},
            "network": {"name": "color_position", "hidden_width": 8},
            "loss": {"name": "cross_entropy"},
            "optimizer": {"name": "adam", "learning_rate": 0.02},
            "schedule": {"name": "constant"},
            "training": {"steps": 6, "epoch_steps": 3, "batch_size": 2},
        }
        for name, section in sections.items():
            chosen[name] = section if "name" in section else {**chosen[name], **section}
        return chosen

    return values


@pytest.fixture
def configure(experiment):
    """Builds the configuration of ``experiment``."""
    return lambda **sections: validate(ExperimentConfig, experiment(**sections), "test")


@pytest.fixture
def run(configure, tiny_dataset, tmp_path):
    """Trains on the tiny dataset in a folder of the test's."""

    def start(folder="run", resume=Resume.NEVER, init_weights=None, root=None, **sections):
        config = configure(**sections)
        roots = dict.fromkeys(config.data.names, str(root or tiny_dataset.parent))
        return train(config, roots, tmp_path / folder, resume, init_weights)

    return start
