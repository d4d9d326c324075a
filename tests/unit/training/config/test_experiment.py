import glob
from pathlib import Path

import pytest
import yaml

from semseg import resources
from semseg.data import load_dataset
from semseg.errors import ConfigError
from semseg.training.config.experiment import load_config, parse_roots


@pytest.fixture
def experiment_file(tmp_path, experiment):
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(experiment()))
    return path


def test_overrides_replace_values(experiment_file):
    config = load_config(experiment_file, ["training.batch_size=4", "optimizer.learning_rate=1e-3"])
    assert config.training.batch_size == 4
    assert config.optimizer.learning_rate == 1e-3


def test_overrides_name_an_entry_of_a_list_by_its_number():
    path = resources.shipped_file("config", "experiments", "camvid_town_fast_scnn.yaml")
    overrides = ["data.datasets.0.train_split=trainval", "loss.class_weights.10=9.5"]
    changed, plain = load_config(path, overrides), load_config(path)
    assert changed.data.datasets[0].train_split == "trainval"
    assert changed.data.datasets[1] == plain.data.datasets[1]
    assert changed.loss.class_weights == (*plain.loss.class_weights[:10], 9.5)
    for override in ("data.datasets.2.weight=1", "loss.class_weights.11=9.5"):
        with pytest.raises(ConfigError, match="unknown number '(2|11)'; available: 0, 1"):
            load_config(path, [override])


def test_the_resolved_file_means_the_same(tmp_path, experiment_file):
    config = load_config(experiment_file, ["augmentation.gamma=0.05"])
    resolved = tmp_path / "resolved.yaml"
    resolved.write_text(config.to_yaml())
    assert load_config(resolved) == config
    assert "validation_split: val" in resolved.read_text()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.batch_sze=4", "training: unknown key 'batch_sze'.*did you mean 'batch_size'"),
        ("loss.fractoin=0.5", "loss.cross_entropy: unknown key 'fractoin'"),
        ("loss.name=bootstrapped", "unknown loss 'bootstrapped'.*bootstrapped_cross_entropy"),
        ("network.name=fastscnn", "unknown network 'fastscnn'.*did you mean 'fast_scnn'"),
        ("network.base_width=8", "unknown key 'base_width'; available: hidden_layers"),
        ("network.hidden_width=wide", "hidden_width.*valid integer, found 'wide'"),
        ("network.hidden_layers=-1", "hidden_layers: .*0 or more, found -1"),
        ("network={name: fast_scnn, blocks: [0, 3, 3]}", r"fast_scnn.blocks: .*1 or more, found 0"),
        ("network={name: dabnet, rates: [[2], [4, 0]]}", r"dabnet.rates: .*1 or more, found 0"),
        ("optimizer.learning_rate=fast", "optimizer.learning_rate.*valid number, found 'fast'"),
        ("optimizer.momentum=0.9", "momentum belongs to sgd, not to adam"),
        ("schedule={name: step, milestones: [9, 3]}", r"milestones ascend, found \[9, 3\]"),
        ("data.datasets=[{dataset: town}]", "data: give either 'dataset' or 'datasets'"),
        ("data.heads=shared", "'heads: shared' is for several datasets"),
        ("training.steps=0", "training.steps.*greater than or equal to 1, found '0'"),
        ("training.steps=1.5", "training.steps.*valid integer"),
        ("optimiser.name=sgd", "unknown section 'optimiser'.*did you mean 'optimizer'"),
        ("training.steps", "--set takes section.key=value, found 'training.steps'"),
        ("training.steps=[", "--set training.steps=\\[: no valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_place(experiment_file, override, message):
    with pytest.raises(ConfigError, match=message):
        load_config(experiment_file, [override])


def test_the_file_is_named(experiment_file):
    experiment_file.write_text(experiment_file.read_text().replace("steps: 6", "step: 6"))
    with pytest.raises(ConfigError, match=f"{experiment_file}: training: unknown key 'step'"):
        load_config(experiment_file)


def test_a_missing_section_is_named(experiment_file):
    values = yaml.safe_load(experiment_file.read_text())
    del values["optimizer"]
    experiment_file.write_text(yaml.safe_dump(values))
    with pytest.raises(ConfigError, match="optimizer: Field required"):
        load_config(experiment_file)


def test_every_shipped_experiment_is_valid_and_named_as_its_file():
    paths = glob.glob(resources.shipped_file("config", "experiments", "*.yaml"))
    assert len(paths) >= 5
    for path in paths:
        config = load_config(path)
        assert config.name == Path(path).stem
        for source in config.data.sources:
            splits = load_dataset(source.dataset).splits
            assert {source.train_split, source.validation_split} <= set(splits)


def test_roots_by_name_or_for_the_only_dataset():
    assert parse_roots(["/data/x"], ["camvid"]) == {"camvid": "/data/x"}
    assert parse_roots(["town=/a", "camvid=/b"], ["camvid", "town"]) == {
        "town": "/a",
        "camvid": "/b",
    }
    with pytest.raises(ConfigError, match="unknown dataset 'camvd'.*did you mean 'camvid'"):
        parse_roots(["camvd=/data"], ["camvid"])
    with pytest.raises(ConfigError, match="several datasets need NAME=DIR"):
        parse_roots(["/data"], ["camvid", "town"])
