"""PARIS-sem-seg's args.json: the values are those that its train.py writes."""

import json

import pytest

from semseg import resources
from semseg.errors import ConfigError
from semseg.training.config.experiment import load_config
from semseg.training.config.migration import migrate

PUBLISHED = {
    "batch_size": 5,
    "checkpoint_frequency": 5000,
    "crop_augment": 64,
    "dataset_config": ["datasets/cityscapes.json"],
    "dataset_root": ["/data/down4"],
    "dataset_weights": None,
    "decay_multiplier": 0.001,
    "decay_start_iteration": 40000,
    "experiment_root": "/runs/full",
    "fixed_crop_augment_height": 0,
    "fixed_crop_augment_width": 0,
    "flip_augment": True,
    "gamma_augment": True,
    "learning_rate": 0.001,
    "loading_threads": 8,
    "loss_type": "bootstrapped_cross_entropy_loss",
    "model_params": {},
    "model_type": "res_net_style",
    "resume": False,
    "train_iterations": 70000,
    "train_set": ["datasets/cityscape_fine/train.csv"],
}


@pytest.fixture
def migrated(tmp_path):
    def run(**changes):
        path = tmp_path / "args.json"
        path.write_text(json.dumps({**PUBLISHED, **changes}))
        return migrate(path, "mine", (256, 512))

    return run


def test_the_published_settings_are_those_of_the_recipe(migrated):
    migration = migrated()
    recipe = load_config(
        resources.shipped_file("config", "experiments", "cityscapes_resnet_baseline_48.yaml")
    )
    assert migration.config == recipe.model_copy(update={"name": "mine"})
    assert migration.lost == []
    assert migration.remarks == [
        "experiment_root is the flag --workdir here",
        "dataset_root is the flag --root here",
        "bootstrapped_cross_entropy_loss: the worst pixels are those of each image, not of the "
        "batch",
    ]


def test_several_datasets_have_heads_of_their_own(migrated):
    data = migrated(
        dataset_config=["datasets/cityscapes.json", "datasets/mapillary.json"],
        train_set=["a/train.csv", "b/train.csv"],
        dataset_weights=[1.0, 3.0],
    ).config.data
    assert data.heads == "own"
    assert [(s.dataset, s.head, s.weight) for s in data.datasets] == [
        ("cityscapes", "cityscapes", 1.0),
        ("mapillary_vistas_12", "mapillary", 3.0),
    ]


def test_network_options_keep_their_meaning(migrated):
    params = {"base_channel_count": 8, "separable_conv": True, "gn_channels": 4}
    for found in (params, str(params)):
        network = migrated(model_params=found).config.network
        assert (network.base_width, network.separable, network.bottleneck) == (8, True, False)
        assert (network.group_count, network.group_width) == (None, 4)


def test_an_old_file_has_one_dataset_and_few_options(tmp_path):
    path = tmp_path / "args.json"
    path.write_text(json.dumps({"dataset_config": "x/bdd.json", "train_set": "x/train.csv"}))
    config = migrate(path, "mine", (180, 320)).config
    assert config.data.dataset == "bdd100k"
    assert (config.augmentation.crop, config.augmentation.flip) == (None, 0)
    assert (config.loss.name, config.training.steps) == ("cross_entropy", 70000)


@pytest.mark.parametrize(
    ("start", "schedule"), [(-1, "constant"), (70000, "constant"), (0, "exponential")]
)
def test_no_decay_is_a_constant_rate(migrated, start, schedule):
    assert migrated(decay_start_iteration=start).config.schedule.name == schedule


def test_a_fixed_crop_and_no_checkpoints_on_the_way(migrated):
    config = migrated(
        crop_augment=0,
        fixed_crop_augment_height=128,
        fixed_crop_augment_width=256,
        checkpoint_frequency=0,
    ).config
    assert config.augmentation.crop == (128, 256)
    assert config.training.epoch_steps == 70000


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"warm_start": "x.ckpt"}, "warm_start: 'x.ckpt'"),
        ({"model_params": {"dropout": 0.5}}, "model_params dropout: 0.5"),
        ({"dataset_config": ["my.json"]}, "dataset_config my: declare it in my.yaml"),
        ({"train_set": ["x/small.csv"]}, "train_set x/small.csv: the files of a split"),
    ],
)
def test_options_without_an_equal_are_named(migrated, changes, line):
    assert [found.startswith(line) for found in migrated(**changes).lost] == [True]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss_type": "focal_los"}, "unknown loss_type 'focal_los'.*did you mean 'focal_loss'"),
        ({"model_type": "enet"}, "unknown model_type 'enet'.*res_net_style"),
        ({"batch_size": "five"}, "batch_size: expected a number, found 'five'"),
        ({"batch_size": 0}, "args.json: training.batch_size.*greater than or equal to 1, found"),
        ({"model_params": "base;8"}, "model_params: expected a dictionary, found 'base;8'"),
        ({"train_set": ["a/train.csv", "b/train.csv"]}, "1 entries, train_set 2, dataset_weights"),
        ({"dataset_weights": [1.0, 2.0]}, "train_set 1, dataset_weights 2"),
        ({"decay_start_iteration": "late"}, "decay_start_iteration: expected a number, found"),
        ({"dataset_config": None}, "args.json: no dataset_config"),
    ],
)
def test_a_value_that_cannot_be_is_named(migrated, changes, message):
    with pytest.raises(ConfigError, match=message):
        migrated(**changes)


@pytest.mark.parametrize("text", ["[1]", "{", ""])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "args.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"args\.json: (no train_set|cannot be read)"):
        migrate(path, "mine", (256, 512))
