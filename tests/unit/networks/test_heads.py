import keras
import numpy as np
import pytest

from semseg.networks import NETWORKS
from semseg.networks.heads import head_of, is_boundary, without_auxiliary

IMAGES = np.random.default_rng(0).uniform(0, 255, (1, 33, 50, 3)).astype(np.float32)
TWO_HEADS = {"camvid": 3, "town": 5}


def _logits(model):
    return keras.tree.map_structure(np.asarray, model(IMAGES))


def test_one_head_gives_one_tensor():
    assert _logits(NETWORKS["fast_scnn"](4, width=0.1)).shape == (1, 33, 50, 4)


def test_heads_are_named_and_have_their_own_classes():
    outputs = _logits(NETWORKS["fast_scnn"](TWO_HEADS, width=0.1))
    assert {name: logits.shape[-1] for name, logits in outputs.items()} == TWO_HEADS


def test_every_head_has_its_auxiliary_outputs():
    model = NETWORKS["fast_scnn"](TWO_HEADS, width=0.1, auxiliary=True)
    shapes = {name: logits.shape for name, logits in _logits(model).items()}
    size = (1, 33, 50)
    assert shapes == {
        "camvid": (*size, 3),
        "camvid_aux0": (*size, 3),
        "camvid_aux1": (*size, 3),
        "town": (*size, 5),
        "town_aux0": (*size, 5),
        "town_aux1": (*size, 5),
    }


@pytest.mark.parametrize(
    ("output", "head"),
    [
        ("camvid", "camvid"),
        ("camvid_aux1", "camvid"),
        ("camvid_boundary", "camvid"),
        ("aux_town", "aux_town"),
        ("logits", "logits"),
    ],
)
def test_the_head_of_an_output(output, head):
    assert head_of(output) == head


def test_a_boundary_has_one_logit_whatever_the_classes():
    model = NETWORKS["pidnet"](TWO_HEADS, width=4, auxiliary=True)
    channels = {name: logits.shape[-1] for name, logits in _logits(model).items()}
    assert channels == {
        **{"camvid": 3, "camvid_aux0": 3, "camvid_boundary": 1},
        **{"town": 5, "town_aux0": 5, "town_boundary": 1},
    }
    assert [name for name in channels if is_boundary(name)] == ["camvid_boundary", "town_boundary"]
    assert set(without_auxiliary(model).output) == set(TWO_HEADS)


@pytest.mark.parametrize("num_classes", [4, TWO_HEADS])
def test_without_auxiliary_outputs_the_others_and_the_weights_stay(num_classes):
    model = NETWORKS["fast_scnn"](num_classes, width=0.1, auxiliary=True)
    frozen = without_auxiliary(model)
    plain = NETWORKS["fast_scnn"](num_classes, width=0.1)
    assert [weight.shape for weight in frozen.weights] == [weight.shape for weight in plain.weights]
    before, after = _logits(model), _logits(frozen)
    if num_classes == 4:
        before, after = {"logits": before["logits"]}, {"logits": after}
    assert set(after) == {name for name in before if head_of(name) == name}
    for name, logits in after.items():
        np.testing.assert_array_equal(logits, before[name])


def test_a_network_without_auxiliary_outputs_is_frozen_as_it_is():
    model = NETWORKS["fast_scnn"](4, width=0.1)
    assert without_auxiliary(model) is model
