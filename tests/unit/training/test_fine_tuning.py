import keras
import numpy as np
import pytest

from semseg.data.declarations.strict_yaml import validate
from semseg.errors import ConfigError
from semseg.networks.normalization import BatchNormalization
from semseg.training.config.optimization import FineTuningConfig
from semseg.training.fine_tuning import Freezing, rate_factors, with_rates
from semseg.training.records.checkpoints import load_checkpoint
from semseg.training.records.run_folder import Resume


def _network():
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", name="encoder_stem")(image)
    x = BatchNormalization(name="encoder_stem_norm")(x)
    x = keras.layers.Conv2D(4, 3, padding="same", name="ladder")(x)
    return keras.Model(image, keras.layers.Conv2D(2, 1, name="logits")(x))


def _config(**values):
    return validate(FineTuningConfig, values, "test")


def _values(model, layer):
    return [np.array(variable) for variable in model.get_layer(layer).variables]


def _train(model, steps=1):
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 1, (2, 8, 8, 3)).astype(np.float32)
    labels = rng.integers(0, 2, (2, 8, 8))
    for _ in range(steps):
        model.train_on_batch(images, labels)


def _compiled(model, optimizer):
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def test_frozen_layers_stay_and_their_statistics_too():
    model = _compiled(_network(), keras.optimizers.AdamW(0.1, weight_decay=0.1))
    Freezing(model, _config(frozen=["encoder_*"])).apply(0)
    before = [*_values(model, "encoder_stem"), *_values(model, "encoder_stem_norm")]
    logits = _values(model, "logits")
    _train(model, 3)
    after = [*_values(model, "encoder_stem"), *_values(model, "encoder_stem_norm")]
    for former, value in zip(before, after, strict=True):
        np.testing.assert_array_equal(former, value)
    assert all(np.any(a != b) for a, b in zip(logits, _values(model, "logits"), strict=True))


def test_layers_learn_from_the_given_step_on():
    model = _compiled(_network(), keras.optimizers.Adam(0.1))
    freezing = Freezing(model, _config(frozen=["encoder_*"], frozen_until=2))
    former = _values(model, "encoder_stem")[0]
    moved = []
    for step in range(4):
        freezing.apply(step)
        _train(model)
        value = _values(model, "encoder_stem")[0]
        moved.append(bool(np.any(value != former)))
        former = value
    assert moved == [False, False, True, True]


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_a_rate_of_a_pattern_is_the_whole_rate_times_its_factor(name):
    """The first step of each optimizer is proportional to the rate, its decay included."""
    kinds = {
        "sgd": lambda factors: with_rates(keras.optimizers.SGD, factors)(0.1),
        "adam": lambda factors: with_rates(keras.optimizers.Adam, factors)(0.1),
        "adamw": lambda factors: with_rates(keras.optimizers.AdamW, factors)(0.1, weight_decay=0.5),
    }
    steps = {}
    for rates in ({}, {"encoder_*": 0.25}):
        model = _network()
        _compiled(model, kinds[name](rate_factors(model, rates)))
        before = {layer.name: _values(model, layer.name) for layer in model.layers}
        _train(model)
        steps[bool(rates)] = {
            layer.name: _values(model, layer.name)[0] - before[layer.name][0]
            for layer in model.layers
            if layer.trainable_variables
        }
    for layer, factor in {"encoder_stem": 0.25, "encoder_stem_norm": 0.25, "ladder": 1.0}.items():
        whole = steps[False][layer]
        # A step is the difference of two float32 numbers of at most 2.
        np.testing.assert_allclose(steps[True][layer], factor * whole, rtol=1e-5, atol=1e-6)


def test_the_first_pattern_that_matches_counts():
    factors = rate_factors(_network(), {"encoder_stem_norm": 0.1, "encoder_*": 0.5})
    assert factors == [0.5, 0.5, 0.1, 0.1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("frozen", "message"),
    [
        (["decoder*"], "'decoder\\*' matches no layer; their names begin with encoder, ladder"),
        (["*"], "matches every layer; nothing is left to learn"),
        (["encoder*", "l*"], "matches every layer"),
    ],
)
def test_patterns_that_freeze_nothing_or_everything_are_refused(frozen, message):
    with pytest.raises(ConfigError, match=message):
        Freezing(_network(), _config(frozen=frozen))
    with pytest.raises(ConfigError, match="fine_tuning.rates: 'x' matches no layer"):
        rate_factors(_network(), {"x": 2.0})


def test_an_end_of_freezing_that_freezes_nothing_is_refused():
    with pytest.raises(ConfigError, match="frozen_until needs 'frozen'"):
        _config(frozen_until=100)


def test_a_resumed_run_freezes_and_learns_as_the_whole_one(run, tmp_path):
    sections = {
        "network": {"name": "fast_scnn", "width": 0.1, "dropout": 0.0},
        "fine_tuning": {"frozen": ["downsample*"], "frozen_until": 4, "rates": {"con*": 0.5}},
        "optimizer": {"name": "adamw", "learning_rate": 0.01, "average": 0.9},
    }
    training = {"epoch_steps": 3, "deterministic": True}
    run("whole", **sections, training={**training, "steps": 6})
    run("parts", **sections, training={**training, "steps": 3})
    config = (tmp_path / "parts" / "config.yaml").read_text()
    (tmp_path / "parts" / "config.yaml").write_text(
        config.replace("steps: 3\n  epoch", "steps: 6\n  epoch")
    )
    run("parts", Resume.REQUIRED, **sections, training={**training, "steps": 6})
    whole, parts = (load_checkpoint(tmp_path / name / "checkpoints/last.npz")
                    for name in ("whole", "parts"))  # fmt: skip
    assert set(whole.variables) == set(parts.variables)
    for name, value in whole.variables.items():
        np.testing.assert_array_equal(value, parts.variables[name], err_msg=name)
