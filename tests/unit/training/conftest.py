import pytest

from semseg.data.declarations.strict_yaml import validate

# What needs Keras is imported by the fixtures: `make quick` reads this file without it.


@pytest.fixture(scope="session")
def experiment(tiny_dataset):
    """Values of an experiment file on the tiny dataset, a section at a time replaceable."""

    def values(**sections):
        chosen = {
            "name": "tiny",
            "data": {"dataset": str(tiny_dataset), "size": [24, 32]},
            "augmentation": {"crop": [16, 24], "zoom": [0.8, 1.5]},
            "network": {"name": "color_position", "hidden_width": 8},
            "loss": {"name": "cross_entropy"},
            "optimizer": {"name": "adam", "learning_rate": 0.02},
            "schedule": {"name": "constant"},
            "training": {"steps": 6, "epoch_steps": 3, "batch_size": 2},
        }
        for name, section in sections.items():
            chosen[name] = section if "name" in section else {**chosen.get(name, {}), **section}
        return chosen

    return values


@pytest.fixture
def configure(experiment):
    """Builds the configuration of ``experiment``."""
    from semseg.training.config.experiment import ExperimentConfig

    return lambda **sections: validate(ExperimentConfig, experiment(**sections), "test")


@pytest.fixture
def run(configure, tiny_dataset, tmp_path):
    """Trains on the tiny dataset in a folder of the test's."""
    from semseg.training.records.run_folder import Resume
    from semseg.training.trainer import train

    def start(folder="run", resume=Resume.NEVER, init_weights=None, root=None, **sections):
        config = configure(**sections)
        roots = dict.fromkeys(config.data.names, str(root or tiny_dataset.parent))
        return train(config, roots, tmp_path / folder, resume, init_weights)

    return start
