import keras
import numpy as np
import pytest

from semseg.networks.recomputation import Recomputed, flat_layers
from semseg.networks.resnet_baseline import resnet_baseline
from tolerances import of_means, of_network

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 32, 48, 3)).astype(np.float32)
LABELS = np.random.default_rng(1).integers(0, 3, (2, 32, 48))
SMALL = {"base_width": 4, "encoder_blocks": (1, 1, 2), "decoder_blocks": (1, 1)}


def _trained(model, weights):
    model.set_weights(weights)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
    model.train_on_batch(IMAGES, LABELS)
    return model.get_weights()


def test_gradient_checkpointing_changes_no_result():
    plain = resnet_baseline(3, **SMALL)
    saving = resnet_baseline(3, **SMALL, gradient_checkpointing=True)
    start = plain.get_weights()
    ended = zip(_trained(plain, start), _trained(saving, start), strict=True)
    for variable, (expected, found) in zip(plain.weights, ended, strict=True):
        # A gradient is a mean over the pixels; weights that are large by then had large ones.
        near = of_means(LABELS.size, max(1, np.abs(expected).max()))
        np.testing.assert_allclose(found, expected, rtol=0, atol=near, err_msg=variable.path)
    logits, near = plain.predict_on_batch(IMAGES), of_network(plain, IMAGES)
    np.testing.assert_allclose(saving.predict_on_batch(IMAGES), logits, rtol=0, atol=near)


def test_gradient_checkpointing_runs_each_block_again_in_the_backward_pass(monkeypatch):
    runs = []
    pure = Recomputed._pure
    monkeypatch.setattr(
        Recomputed, "_pure", lambda part, *values: (runs.append(part.name), pure(part, *values))[1]
    )
    model = resnet_baseline(3, **SMALL, gradient_checkpointing=True)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.run_eagerly = True
    model.train_on_batch(IMAGES, LABELS)
    forward, backward = runs[:6], runs[6:]
    assert len(set(forward)) == 6
    assert backward == forward[::-1]


def test_the_layers_of_recomputed_blocks_are_those_of_the_plain_network():
    plain = resnet_baseline(3, **SMALL)
    saving = resnet_baseline(3, **SMALL, gradient_checkpointing=True)
    weighted = [layer.name for layer in flat_layers(saving) if layer.weights]
    assert weighted == [layer.name for layer in plain.layers if layer.weights]


def _widths(model):
    layers = (layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    return {layer.name: layer.filters for layer in layers}


def test_a_scale_doubles_the_width_up_to_eight_base_widths():
    widths = _widths(
        resnet_baseline(3, base_width=4, encoder_blocks=(1,) * 6, decoder_blocks=(1,) * 5)
    )
    found = [widths[f"encoder{depth}_block0_0_conv"] for depth in range(6)]
    assert found == [4, 8, 16, 32, 32, 32]
    assert [widths[f"decoder{depth}_block0_0_conv"] for depth in range(5)] == [4, 8, 16, 16, 16]


def test_bottleneck_blocks_are_a_quarter_as_wide_inside():
    widths = _widths(resnet_baseline(3, **SMALL, bottleneck=True))
    assert [widths[f"encoder2_block0_{index}_conv"] for index in range(3)] == [4, 4, 16]


@pytest.mark.parametrize(
    "options",
    [
        {"separable": True},
        {"bottleneck": True, "separable": True},
        {"group_count": 2},
        {"group_width": 4},
        {"skips": "add"},
        {"pyramid": True},
    ],
    ids=str,
)
def test_every_option_gives_finite_logits_at_an_odd_size(options):
    model = resnet_baseline(3, **SMALL, **options)
    assert model.count_params() != resnet_baseline(3, **SMALL).count_params()
    logits = model.predict_on_batch(IMAGES[:, :31, :45])
    assert logits.shape == (2, 31, 45, 3)
    assert np.isfinite(logits).all() and logits.std() > 0


def test_groups_normalise_each_image_alone():
    model = resnet_baseline(3, **SMALL, group_width=4)
    both, alone = model(IMAGES, training=True), model(IMAGES[:1], training=True)
    near = of_network(model, IMAGES)
    np.testing.assert_allclose(both[:1], alone, rtol=0, atol=near)
    names = {type(layer).__name__ for layer in model.layers}
    assert "GroupNormalization" in names and "BatchNormalization" not in names


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decoder_blocks": (1,)}, "decoder_blocks has 1 scales, expected 4"),
        ({"group_count": 3}, "8 channels, which groups of group normalisation do not divide"),
        ({"group_width": 16}, "8 channels, which groups of group normalisation do not divide"),
        ({"group_count": 0}, "groups of group normalisation do not divide: group_count 0"),
        ({"group_width": 0}, "groups of group normalisation do not divide.*group_width 0"),
        ({"group_count": 2, "group_width": 4}, "say the same; give one"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        resnet_baseline(3, **options)
