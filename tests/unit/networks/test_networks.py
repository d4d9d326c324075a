import inspect

import keras
import numpy as np
import pytest

from semseg.networks import NETWORKS
from semseg.networks.costs import costs
from semseg.networks.encoders import encode
from semseg.networks.heads import without_auxiliary

ODD_SIZE = (97, 131)


def _images(model, *shape):
    rng = np.random.default_rng(0)
    images = [
        rng.uniform(0, 255, (*shape, tensor.shape[-1])).astype(np.float32)
        for tensor in model.inputs
    ]
    return images if len(images) > 1 else images[0]


def test_logits_have_the_size_of_an_odd_image(network_name, tiny_network):
    model = tiny_network(network_name, 5)
    assert model.output_shape == (None, None, None, 5)
    # Traced with open sizes, as for freezing.
    logits = model.predict_on_batch(_images(model, 1, *ODD_SIZE))
    assert logits.shape == (1, *ODD_SIZE, 5)
    assert np.isfinite(logits).all() and logits.std() > 0


def test_a_step_moves_every_weight_to_a_number(network_name, tiny_network):
    keras.utils.set_random_seed(0)
    model = tiny_network(network_name, 3)
    rng = np.random.default_rng(0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # A rate at which no step is lost in rounding; tracing would take longer than the one step.
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)
    before = [np.array(variable) for variable in model.trainable_variables]
    labels = rng.integers(0, 3, (4, 40, 56))
    model.train_on_batch(_images(model, 4, 40, 56), labels)
    after = [np.array(variable) for variable in model.trainable_variables]
    assert all(np.isfinite(value).all() for value in after)
    # Scales and shifts of one normalisation may be undone by the next: no gradient, by right.
    still = [
        variable.path
        for variable, old, new in zip(model.trainable_variables, before, after)
        if (old == new).all() and variable.name not in ("gamma", "beta")
    ]
    assert not still


def test_a_disparity_is_a_fourth_channel_that_matters(network_name, tiny_network):
    model = tiny_network(network_name, 3, channels=4)
    assert {tensor.shape[-1] for tensor in model.inputs} == {4}
    near = _images(model, 1, 48, 64)
    far = keras.tree.map_structure(lambda images: images * [1, 1, 1, 0], near)
    assert np.abs(model(near) - model(far)).max() > 0


def test_heads_have_their_own_classes_and_auxiliary_outputs_disappear(network_name, tiny_network):
    takes_auxiliary = "auxiliary" in inspect.signature(NETWORKS[network_name]).parameters
    auxiliary = {"auxiliary": True} if takes_auxiliary else {}
    model = tiny_network(network_name, {"a": 3, "b": 5}, **auxiliary)
    assert (len(model.output) > 2) == takes_auxiliary
    kept = without_auxiliary(model).output
    assert {name: logits.shape[-1] for name, logits in kept.items()} == {"a": 3, "b": 5}


def test_the_right_image_matters(tiny_network):
    model = tiny_network("sq_stereo", 3)
    assert [tensor.name for tensor in model.inputs] == ["image", "right"]
    left, right = _images(model, 1, 48, 64)
    assert np.abs(model([left, right]) - model([left, left])).max() > 0


def test_sq_weights_fit_the_left_branch_of_the_stereo_network(tiny_network):
    mono, stereo = (
        {
            layer.name: [weight.shape for weight in layer.weights]
            for layer in tiny_network(name, 3).layers
            if layer.weights
        }
        for name in ("sq", "sq_stereo")
    )
    assert {name: stereo[name] for name in mono} == mono
    assert all(name.startswith("right_") or name == "fusion" for name in set(stereo) - set(mono))


DEEPER = {
    # A block of c channels that is t times as wide inside: 1x1, 3x3 each channel, 1x1, and two
    # values of each normalisation.
    "fast_scnn": ((3, 3, 4), 2 * 128 * 768 + 9 * 768 + 4 * 768 + 2 * 128),
    # 3x3, 3x3 each channel to six, 1x1 back.
    "bisenet_v2": ((2, 2, 5), 9 * 128**2 + 9 * 768 + 768 * 128 + 2 * (128 + 768 + 128)),
    # Two 3x3 convolutions at 1/32.
    "ddrnet": ((2, 2, 2, 3), 2 * (9 * 256**2 + 2 * 256)),
    "pidnet": ((2, 2, 3, 4), 2 * (9 * 256**2 + 2 * 256)),
    # The ninth bottleneck is as the first: 1x1, 3x3 and 1x1 with normalisations and slopes.
    "enet": ((4, 8, 9), 2 * 128 * 32 + 9 * 32**2 + 3 * (32 + 32 + 128)),
}
"""Network -> one block more than published, and the parameters of that."""


@pytest.mark.parametrize("name", DEEPER)
def test_blocks_are_a_knob_whose_default_is_the_published_depth(name):
    blocks, parameters = DEEPER[name]
    plain, deeper = NETWORKS[name](3), NETWORKS[name](3, blocks=blocks)
    added = costs(deeper, (64, 64)).parameters - costs(plain, (64, 64)).parameters
    assert added == parameters
    kept = {weight.path: weight.shape for weight in deeper.weights}
    assert all(kept[weight.path] == weight.shape for weight in plain.weights)


def test_skips_of_ddrnet_bring_the_logits_to_a_half():
    plain, *skipped = (
        NETWORKS["ddrnet"](3, width=8, skip_widths=widths) for widths in ((), (12,), (12, 6))
    )
    assert plain.get_layer("logits").output.shape[-1] == 3
    for count, model in enumerate(skipped, start=1):
        last = model.get_layer(f"skip{count - 1}_fuse")
        grid = keras.Model(model.inputs, last.output).predict_on_batch(_images(model, 1, 64, 96))
        assert grid.shape == (1, 64 // (8 >> count), 96 // (8 >> count), (12, 6)[count - 1])
        assert model.predict_on_batch(_images(model, 1, *ODD_SIZE)).shape == (1, *ODD_SIZE, 3)
    with pytest.raises(ValueError, match="skip_widths has 3 widths, expected at most 2"):
        NETWORKS["ddrnet"](3, skip_widths=(8, 8, 8))


def test_fewer_blocks_keep_the_strides():
    deep = NETWORKS["fast_scnn"](3, width=0.1, blocks=(1, 1, 1))
    logits = deep.predict_on_batch(_images(deep, 1, *ODD_SIZE))
    assert logits.shape == (1, *ODD_SIZE, 3)
    strides = [
        layer.strides
        for layer in deep.layers
        if layer.name.startswith("context") and isinstance(layer, keras.layers.DepthwiseConv2D)
    ]
    assert strides == [(2, 2), (2, 2), (1, 1)]


@pytest.mark.parametrize("width", [0, -0.5])
def test_a_width_that_leaves_no_channels_is_refused(width):
    with pytest.raises(ValueError, match="width is a factor above 0"):
        NETWORKS["enet"](3, width=width)


def test_rates_are_a_knob():
    def dilations(model):
        return [
            layer.dilation_rate[0]
            for layer in model.layers
            if isinstance(layer, keras.layers.DepthwiseConv2D)
        ]

    tiny = {"width": 0.1}
    assert dilations(NETWORKS["mobilenet_v1"](3, **tiny))[-5:] == [1, 1, 2, 4, 4]
    assert dilations(NETWORKS["mobilenet_v1"](3, rates=(1, 2, 3), **tiny))[-3:] == [1, 2, 3]
    assert dilations(NETWORKS["mobilenet_v2"](3, rates=(1, 4, 4, 8), **tiny))[-4:] == [1, 4, 4, 8]


@pytest.mark.parametrize(("finest", "steps"), [(4, (16, 8, 4)), (2, (16, 8, 4, 2))])
def test_the_ladder_of_swiftnet_ends_at_a_quarter_or_a_half(finest, steps):
    model = NETWORKS["swiftnet"](3, encoder_blocks=12, width=8, finest=finest, auxiliary=True)
    shapes = {}
    for scale in steps:
        blend = model.get_layer(f"ladder{scale}_blend").output
        shapes[scale] = (
            keras.Model(model.inputs, blend).predict_on_batch(_images(model, 1, 64, 96)).shape[1:]
        )
    widths = {16: 8, 8: 8, 4: 4, 2: 2}
    assert shapes == {scale: (64 // scale, 96 // scale, widths[scale]) for scale in steps}
    assert set(model.output) == {"logits", *(f"logits_aux{i}" for i in range(len(steps) - 1))}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": "resnet18"}, "encoder is one of efficientnet_lite0, .*found 'resnet18'"),
        ({"encoder_blocks": 17}, "efficientnet_lite0 has 16 blocks, found 17"),
        ({"encoder_blocks": 11}, "11 blocks do not reach 1/32"),
        ({"finest": 8}, "finest is 4 or 2, found 8"),
    ],
)
def test_options_of_swiftnet_that_lead_nowhere_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NETWORKS["swiftnet"](3, **options)


@pytest.mark.parametrize(
    ("encoder", "millions"),
    # As published, less the last 1x1 convolution with its normalisation and the classifier of
    # 1000 classes on 1280 channels; torchvision's MobileNetV2 has 3,504,872 parameters.
    [
        ("mobilenet_v2", 3_504_872 - (320 * 1280 + 2 * 1280) - (1280 * 1000 + 1000)),
        ("efficientnet_lite0", 4_652_008 - (320 * 1280 + 2 * 1280) - (1280 * 1000 + 1000)),
    ],
)
def test_encoders_have_the_published_number_of_parameters(encoder, millions):
    image = keras.Input((None, None, 3))
    model = keras.Model(image, encode(image, encoder))
    assert costs(model, (64, 64)).parameters == millions
