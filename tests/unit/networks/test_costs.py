"""Costs, and the table of docs/networks.md, whose computed columns are computed here again."""

import collections
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from semseg.networks import NETWORKS
from semseg.networks.costs import VARIANTS, costs

TABLE = Path(__file__).parents[3] / "docs" / "networks.md"
SMALL, LARGE, CITYSCAPES = (256, 512), (512, 1024), (1024, 2048)


def _model():
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, 2, "same", name="strided")(image)
    x = keras.layers.ReLU(name="relu")(x)
    skip = keras.layers.DepthwiseConv2D((3, 1), padding="same", use_bias=False, name="rows")(x)
    x = keras.layers.Add(name="add")([x, skip])
    return keras.Model(image, keras.layers.Conv2DTranspose(5, 2, 2, name="transposed")(x))


def test_costs_of_a_small_network_by_hand():
    found = costs(_model(), (10, 20))
    assert found.parameters == (3 * 3 * 3 * 8 + 8) + 3 * 8 + (2 * 2 * 8 * 5 + 5)
    # At 5x10 each: the strided convolution's outputs, the depthwise one's, the inputs of the last.
    assert found.macs == 50 * (3 * 3 * 3 * 8 + 3 * 8 + 2 * 2 * 8 * 5)
    # The last convolution holds its input, 5x10x8, and its output, 10x20x5; the sum before it
    # holds three of 5x10x8.
    assert found.peak_bytes == 4 * max(50 * 8 + 200 * 5, 3 * 50 * 8, 200 * 3 + 50 * 8)


def test_a_skip_stays_in_memory_until_it_is_read():
    image = keras.Input((None, None, 4))
    x = image
    for index in range(3):
        x = keras.layers.Conv2D(1, 1, name=f"conv{index}")(x)
    model = keras.Model(image, keras.layers.Concatenate()([x, image]))
    assert costs(model, (2, 3)).peak_bytes == 4 * 6 * (4 + 1 + 5)


def test_gradient_checkpointing_adds_no_parameters():
    plain, saving = (
        NETWORKS["resnet_baseline"](3, base_width=2, gradient_checkpointing=saving)
        for saving in (False, True)
    )
    assert plain.count_params() == saving.count_params()


def test_every_network_has_a_described_variant():
    assert {variant.network for variant in VARIANTS} == set(NETWORKS) - {"stateful"}


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.label)
def test_the_documented_table_is_true(variant):
    model = NETWORKS[variant.network](variant.num_classes, **variant.options)
    small, large = costs(model, SMALL), costs(model, LARGE)
    lines = TABLE.read_text().splitlines()
    cells = next(line for line in lines if line.startswith(f"| `{variant.label}` |")).split(" | ")
    assert cells[1:7] == [
        str(variant.num_classes),
        f"{small.parameters:,}",
        "-" if variant.millions is None else f"{variant.millions:g}",
        f"{small.macs / 1e9:.2f}",
        f"{large.macs / 1e9:.2f}",
        f"{small.peak_bytes / 2**20:.1f}",
    ]


STATED = [variant for variant in VARIANTS if variant.millions is not None]
DIFFERENT = {"bisenet_v2": 3.36, "enet": 0.36, "fast_scnn": 1.14}
"""Networks whose layers add up to another count than stated; their variants say why."""


@pytest.mark.parametrize("variant", STATED, ids=lambda variant: variant.label)
def test_parameters_are_those_stated(variant):
    model = NETWORKS[variant.network](variant.num_classes, **variant.options)
    expected = DIFFERENT.get(variant.network, variant.millions)
    digits = len(str(expected).partition(".")[2])
    assert round(costs(model, SMALL).parameters / 1e6, digits) == expected


def test_parameters_of_bisenet_v2_are_those_compared_in_the_table():
    counts = collections.Counter()
    for variable in NETWORKS["bisenet_v2"](19).trainable_variables:
        counts[re.match("detail|stem|semantic|context|aggregation|", variable.path)[0]] += int(
            np.prod(variable.shape)
        )
    parts = {"branches": counts["stem"] + counts["semantic"], "head": counts[""]}
    parts |= {part: counts[part] for part in ("detail", "context", "aggregation")}
    table = TABLE.read_text()
    for count in parts.values():
        assert f"| {count:,} |" in table
    assert sum(parts.values()) == 3_358_627


@pytest.mark.parametrize(
    ("network", "options", "num_classes", "size", "giga_macs"),
    [
        ("resnet_baseline", {"base_width": 8}, 19, SMALL, 3.33),
        ("resnet_baseline", {"base_width": 48}, 19, SMALL, 113.8),
        ("sq", {}, 19, LARGE, 143.9),
        ("ddrnet", {}, 19, CITYSCAPES, 36.3),
    ],
)
def test_multiplications_are_those_stated_by_others(network, options, num_classes, size, giga_macs):
    model = NETWORKS[network](num_classes, **options)
    assert costs(model, size).macs / 1e9 == pytest.approx(giga_macs, abs=0.06)


def test_multiplications_of_pidnet_are_those_stated_if_normalisations_count():
    model = NETWORKS["pidnet"](19)
    # 47.19 of convolutions; 47.56 with two for a normalised and one for a rectified value.
    assert costs(model, CITYSCAPES).macs / 1e9 == pytest.approx(47.6, rel=0.01)
