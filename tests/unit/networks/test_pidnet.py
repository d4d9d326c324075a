"""The fusions of PIDNet by the paper's formulas, where all convolutions pass their input on."""

import keras
import numpy as np
import pytest

from semseg.networks.pidnet import _fused, _guided
from tolerances import of_sums

WIDTH = 3
RNG = np.random.default_rng(0)
DETAIL, CONTEXT, BORDER = RNG.normal(0, 1, (3, 1, 4, 5, WIDTH)).astype(np.float32)
LARGEST = max(1, np.abs([DETAIL, CONTEXT, BORDER]).max())
NEAR = 3 * 1e-5 * LARGEST + of_sums(3 * WIDTH, LARGEST**2)
"""The epsilon of up to three normalisations, which lessens what they pass on, and rounding."""


def _output(inputs, build):
    tensors = [keras.Input((None, None, WIDTH)) for _ in inputs]
    model = keras.Model(tensors, build(*tensors))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(np.eye(WIDTH).reshape(1, 1, WIDTH, WIDTH))
    return model.predict_on_batch(inputs)


def _sigmoid(values):
    return 1 / (1 + np.exp(-values))


def test_detail_takes_from_the_context_where_both_agree():
    found = _output([DETAIL, CONTEXT], lambda detail, context: _guided(detail, context, WIDTH, "x"))
    agreement = _sigmoid(np.sum(DETAIL * CONTEXT, axis=-1, keepdims=True))
    expected = agreement * CONTEXT + (1 - agreement) * DETAIL
    np.testing.assert_allclose(found, expected, rtol=0, atol=NEAR)


def test_a_coarser_context_is_brought_to_the_size_of_the_detail():
    coarse = np.broadcast_to(CONTEXT[:, :1, :1], (1, 2, 2, WIDTH))
    found = _output([DETAIL, coarse], lambda detail, context: _guided(detail, context, WIDTH, "x"))
    agreement = _sigmoid(np.sum(DETAIL * coarse[:, :1, :1], axis=-1, keepdims=True))
    expected = agreement * coarse[:, :1, :1] + (1 - agreement) * DETAIL
    np.testing.assert_allclose(found, expected, rtol=0, atol=NEAR)


@pytest.mark.parametrize("border", [BORDER, np.full_like(BORDER, 50), np.full_like(BORDER, -50)])
def test_boundaries_show_the_detail_and_all_else_the_context(border):
    found = _output([DETAIL, CONTEXT, border], lambda *branches: _fused(*branches, "x"))
    attention = _sigmoid(border)
    inner = (1 - attention) * CONTEXT + DETAIL
    outer = CONTEXT + attention * DETAIL
    np.testing.assert_allclose(found, inner + outer, rtol=0, atol=NEAR)
